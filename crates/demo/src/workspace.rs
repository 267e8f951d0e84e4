//! The demo's workspace: everything that a person would write around the shop's tables.
//!
//! `muster.toml`, the campaign and its templates are those of `datasets/corner-shop`, and the
//! queries those of `queries`, embedded so that the binary needs nothing beside it.

use std::fs;
use std::path::Path;

use crate::Error;
use crate::shop::{AS_OF, Format, taken_at};

/// Files of a folder, each with its name and its text.
macro_rules! embedded {
    [$folder:literal: $($name:literal),* $(,)?] => {
        [$(($name, include_str!(concat!($folder, $name)))),*]
    };
}

/// The folder of the workspace that holds the tables' files.
pub const FILES: &str = "files";

/// The folder of the workspace in which the files of later days wait, a folder for each day.
pub const DAYS: &str = "days";

/// The port that `muster.toml` names for e-mail, unless another is asked for.
pub const MAIL_PORT: u16 = 2525;

/// The segments and variables that ship with muster: path below `queries` and text, in the order of the paths.
pub const QUERIES: &[(&str, &str)] = &embedded!["../../../queries/":
    "basket/bed_without_mattress.sql",
    "basket/bought_again.sql",
    "basket/cushions_after_sofa.sql",
    "basket/dreaming_of_sofas.sql",
    "basket/favourite_category.sql",
    "basket/gardeners.sql",
    "basket/sofa_without_cushions.sql",
    "basket/store_and_web.sql",
    "basket/usual_channel.sql",
    "basket/whole_rooms.sql",
    "carts/cart_not_ordered.sql",
    "carts/collectors.sql",
    "carts/comparing.sql",
    "carts/last_seen_at_a_product.sql",
    "carts/looking_around.sql",
    "carts/open_carts.sql",
    "carts/valuable_carts.sql",
    "contact/in_town.sql",
    "contact/mailable.sql",
    "contact/never_asked.sql",
    "contact/one_per_household.sql",
    "contact/only_by_text.sql",
    "contact/pilot_500.sql",
    "contact/store_shoppers.sql",
    "lifecycle/birthday_next_week.sql",
    "lifecycle/buyers.sql",
    "lifecycle/days_since_order.sql",
    "lifecycle/every_year.sql",
    "lifecycle/lapsed.sql",
    "lifecycle/new_customers.sql",
    "lifecycle/orders_last_year.sql",
    "lifecycle/prospects.sql",
    "lifecycle/reactivated.sql",
    "lifecycle/second_order_due.sql",
    "lifecycle/signed_up_this_month.sql",
    "lifecycle/slipping_away.sql",
    "quality/doubles.sql",
    "quality/odd_addresses.sql",
    "quality/unreachable.sql",
    "quality/without_birth_date.sql",
    "service/bad_start.sql",
    "service/delivery_due.sql",
    "service/frequent_returners.sql",
    "service/recent_return.sql",
    "service/waiting_long.sql",
    "value/bargain_hunters.sql",
    "value/big_spenders.sql",
    "value/lapsed_vips.sql",
    "value/lost_big_spenders.sql",
    "value/nearly_platinum.sql",
    "value/one_large_order.sql",
    "value/rising_spenders.sql",
    "value/sofa_spenders.sql",
    "value/spent_last_year.sql",
    "value/steady_spenders.sql",
    "value/top_hundred.sql",
    "value/usual_order.sql",
];

const MUSTER_TOML: &str = include_str!("../../../datasets/corner-shop/muster.toml");

/// What is written beside `muster.toml` and the queries, by its path in the workspace.
const PROSE: &[(&str, &str)] = &embedded!["../../../datasets/corner-shop/":
    "campaigns/winback.toml",
    "templates/winback.nl.html",
    "templates/winback.nl.txt",
];

/// What differs from one demo workspace to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// How the tables' files are written.
    pub format: Format,
    /// The port of this machine to which e-mail goes.
    pub mail_port: u16,
    /// How many days have come since the first files: `now()` means the noon of the last one.
    pub days: u32,
}

/// Writes the workspace to the folder `into`, which is made if it is not there; files of the same
/// names are replaced. The tables' files are [`Shop::write`](crate::shop::Shop::write)'s, into
/// the folder [`FILES`] of it and in the same format.
///
/// # Errors
/// `File`.
pub fn write(into: &Path, setting: Setting) -> Result<(), Error> {
    write_file(into, "muster.toml", &muster_toml(setting))?;
    for (name, text) in QUERIES {
        write_file(into, &format!("queries/{name}"), text)?;
    }
    PROSE.iter().try_for_each(|(path, text)| write_file(into, path, text))
}

/// The text of `muster.toml` in that setting.
pub fn muster_toml(setting: Setting) -> String {
    let ending = match setting.format {
        Format::Csv | Format::CsvGz => ".csv*\"",
        Format::Parquet => ".parquet\"",
    };
    MUSTER_TOML
        .replace(".csv*\"", ending)
        .replace(&format!("port = {MAIL_PORT}\n"), &format!("port = {}\n", setting.mail_port))
        .replace(&format!("as_of = \"{AS_OF}\""), &format!("as_of = \"{}\"", taken_at(setting.days)))
}

fn write_file(into: &Path, path: &str, text: &str) -> Result<(), Error> {
    let path = into.join(path);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(Error::file("create", folder))?;
    }
    fs::write(&path, text).map_err(Error::file("write", &path))
}
