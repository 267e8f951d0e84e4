//! `[channels.NAME]`: the ways out.

use crate::world::{check, check_smtp};

#[test]
fn a_channel_says_what_kind_it_is() {
    check(
        r#"[channels.email]
host = "127.0.0.1"
"#,
        r#"muster.toml line 1, column 11: `kind` is missing in [channels.email]; expected "smtp" or "console""#,
    );
    check(
        r#"[channels.email]
kind = "smpt"
"#,
        r#"muster.toml line 2, column 1: `kind` in [channels.email] is "smpt"; expected one of smtp, console
  hint: did you mean "smtp"?"#,
    );
    check(
        r#"[channels.email]
kind = "pigeon"
"#,
        r#"muster.toml line 2, column 1: `kind` in [channels.email] is "pigeon"; expected one of smtp, console"#,
    );
    check(
        r#"[channels.email]
kind = true
"#,
        "muster.toml line 2, column 1: `kind` in [channels.email] must be a text in quotes",
    );
    check(
        r#"[channels.text]
kind = "sms"
"#,
        "muster.toml line 2, column 1: this `kind` in [channels.text] is not supported yet",
    );
}

#[test]
fn a_mail_server_has_a_host_and_a_sender() {
    check(
        r#"[channels.email]
kind = "smtp"
"#,
        r#"muster.toml line 1, column 11: `host` is missing in [channels.email]
muster.toml line 1, column 11: `from` is missing in [channels.email]"#,
    );
    check(
        r#"[channels.email]
kind = "smtp"
host = ""
from = 3
"#,
        r#"muster.toml line 3, column 1: `host` in [channels.email] must be a text in quotes that is not empty
muster.toml line 4, column 1: `from` in [channels.email] must be a text in quotes that is not empty"#,
    );
}

#[test]
fn its_settings_are_checked() {
    check_smtp(
        "port = 0",
        "muster.toml line 5, column 1: `port` in [channels.email] must be a whole number from 1 to 65535",
    );
    check_smtp(
        r#"port = "25""#,
        "muster.toml line 5, column 1: `port` in [channels.email] must be a whole number from 1 to 65535",
    );
    check_smtp(
        "connections = 1000",
        "muster.toml line 5, column 1: `connections` in [channels.email] must be a whole number from 1 to 256",
    );
    check_smtp(
        r#"tls = "ssl""#,
        r#"muster.toml line 5, column 1: `tls` in [channels.email] is "ssl"; expected one of none, starttls, tls"#,
    );
    check_smtp(
        r#"tls = "start_tls""#,
        r#"muster.toml line 5, column 1: `tls` in [channels.email] is "start_tls"; expected one of none, starttls, tls
  hint: did you mean "starttls"?"#,
    );
    check_smtp(
        r#"user = "me""#,
        "muster.toml line 5, column 1: `user` in [channels.email] needs `password_env` beside it",
    );
    check_smtp(
        r#"password_env = "SECRET""#,
        "muster.toml line 5, column 1: `password_env` in [channels.email] needs `user` beside it",
    );
    check_smtp(
        r#"pasword_env = "SECRET""#,
        r#"muster.toml line 5, column 1: unknown key `pasword_env` in [channels.email]
  hint: did you mean `password_env`?"#,
    );
    check(
        r#"[channels.out]
kind = "console"
host = "x"
"#,
        r#"muster.toml line 3, column 1: unknown key `host` in [channels.out]
  hint: known keys: kind"#,
    );
}
