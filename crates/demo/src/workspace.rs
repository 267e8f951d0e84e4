//! The demo's workspace: everything that a person would write around the shop's tables.
//!
//! `muster.toml`, the campaign and its templates are those of `datasets/corner-shop`, and the
//! queries those of `queries/segments`, embedded so that the binary needs nothing beside it.

use std::fs;
use std::path::Path;

use crate::Error;
use crate::shop::Format;

/// Files of a folder, each with its name and its text.
macro_rules! embedded {
    [$folder:literal: $($name:literal),* $(,)?] => {
        [$(($name, include_str!(concat!($folder, $name)))),*]
    };
}

/// The folder of the workspace that holds the tables' files.
pub const FILES: &str = "files";

/// The port that `muster.toml` names for e-mail, unless another is asked for.
pub const MAIL_PORT: u16 = 2525;

/// The segments that ship with muster: file name and text, in the order of the names.
pub const QUERIES: &[(&str, &str)] = &embedded!["../../../queries/segments/":
    "big_spenders.sql",
    "buyers.sql",
    "frequent_returners.sql",
    "lapsed.sql",
    "lapsed_vips.sql",
    "looking_around.sql",
    "new_customers.sql",
    "open_carts.sql",
    "prospects.sql",
    "sofa_without_cushions.sql",
    "store_and_web.sql",
    "top_hundred.sql",
];

const MUSTER_TOML: &str = include_str!("../../../datasets/corner-shop/muster.toml");

/// What is written beside `muster.toml` and the queries, by its path in the workspace.
const PROSE: &[(&str, &str)] = &embedded!["../../../datasets/corner-shop/":
    "campaigns/winback.toml",
    "templates/winback.nl.html",
    "templates/winback.nl.txt",
];

/// Writes the workspace to the folder `into`, which is made if it is not there; files of the same
/// names are replaced. The tables' files are [`Shop::write`](crate::shop::Shop::write)'s, into
/// the folder [`FILES`] of it and in the same `format`. E-mail goes to `mail_port` of this machine.
///
/// # Errors
/// `File`.
pub fn write(into: &Path, format: Format, mail_port: u16) -> Result<(), Error> {
    write_file(into, "muster.toml", &muster_toml(format, mail_port))?;
    for (name, text) in QUERIES {
        write_file(into, &format!("queries/{name}"), text)?;
    }
    PROSE.iter().try_for_each(|(path, text)| write_file(into, path, text))
}

/// The text of `muster.toml` for tables in that format and a mail server on that port.
pub fn muster_toml(format: Format, mail_port: u16) -> String {
    let ending = match format {
        Format::Csv | Format::CsvGz => ".csv*\"",
        Format::Parquet => ".parquet\"",
    };
    let port = format!("port = {mail_port}\n");
    MUSTER_TOML.replace(".csv*\"", ending).replace(&format!("port = {MAIL_PORT}\n"), &port)
}

fn write_file(into: &Path, path: &str, text: &str) -> Result<(), Error> {
    let path = into.join(path);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
    }
    fs::write(&path, text).map_err(Error::file("write", &path))
}
