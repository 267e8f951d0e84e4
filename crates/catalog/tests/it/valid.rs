//! What a file that is in order says, and that the shipped ones are.

use std::fs;
use std::path::PathBuf;

use muster_catalog::{Catalog, Channel, Column, ColumnType, Kind, Link, MissingParent, Pick, Role, Tls};

use crate::world::{completed, read};

fn dataset(name: &str) -> Catalog {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../datasets", name, "muster.toml"].iter().collect();
    read(&fs::read_to_string(path).unwrap()).unwrap_or_else(|problems| panic!("{name}: {problems}"))
}

fn names(catalog: &Catalog) -> Vec<&str> {
    catalog.parents_first().iter().map(|table| table.name.as_str()).collect()
}

#[test]
fn the_corner_shop_is_in_order() {
    let shop = dataset("corner-shop");
    let expected = [
        "products",
        "stores",
        "profiles",
        "orders",
        "carts",
        "web_visits",
        "messages",
        "order_lines",
        "cart_lines",
        "responses",
    ];
    assert_eq!(names(&shop), expected);
    assert_eq!(shop.workspace.time_zone, chrono_tz::Europe::Amsterdam);
    assert_eq!(shop.workspace.as_of.map(|instant| instant.to_string()).as_deref(), Some("2025-06-30T10:00:00Z"));
    let profiles = shop.root();
    assert_eq!(profiles.column("mobile").and_then(|column| column.role.clone()), Some(Role::Mobile));
    assert_eq!(profiles.column("interests").and_then(|column| column.column_type), Some(ColumnType::Set));
    let links: Vec<(&str, &str)> =
        shop.links_from("orders").map(|(link, to)| (link.name.as_str(), to.name.as_str())).collect();
    assert_eq!(links, [("site", "stores")]);
}

#[test]
fn a_flat_file_of_invoices_is_three_tables() {
    let retail = dataset("online-retail");
    assert_eq!(names(&retail), ["profiles", "orders", "order_lines"]);
    let conditions = |name: &str| -> Vec<String> {
        retail.table(name).unwrap().conditions.iter().map(|condition| condition.text.clone()).collect()
    };
    for name in ["profiles", "orders", "order_lines"] {
        assert_eq!(conditions(name), ["CustomerID IS NOT NULL", "Quantity > 0", "UnitPrice > 0"]);
    }
    let orders = retail.table("orders").unwrap();
    assert!(orders.one_row_per_key);
    let invoiced_at = Column {
        from: "InvoiceDate".to_owned(),
        pick: Some(Pick::Max),
        ..Column::typed("invoiced_at", ColumnType::Timestamp)
    };
    assert_eq!(orders.column("invoiced_at"), Some(&invoiced_at));
}

#[test]
fn purchases_without_a_key_stand_below_their_customer() {
    let cdnow = dataset("cdnow");
    let purchases = cdnow.table("purchases").unwrap();
    assert!(purchases.blanks);
    assert_eq!((purchases.key.as_deref(), purchases.time.as_deref()), (None, Some("bought_at")));
    assert_eq!(purchases.kind, Kind::History { parent: "profiles".to_owned(), on: "customer_id".to_owned() });
}

/// The smallest file, and what it leaves to be understood.
#[test]
fn what_is_not_said_has_a_default() {
    let catalog = read(&completed("")).unwrap();
    assert_eq!((catalog.workspace.currency.as_str(), catalog.workspace.time_zone), ("EUR", chrono_tz::UTC));
    assert_eq!(catalog.workspace.as_of, None);
    let root = catalog.root();
    assert!(root.header && !root.blanks && !root.one_row_per_key);
    assert_eq!((root.delimiter, root.error_budget), (None, None));
    assert_eq!(root.missing_parent, MissingParent::Hold);
    assert!(root.columns.is_empty() && catalog.channels.is_empty());
}

#[test]
fn a_link_may_lead_from_several_tables_and_a_lookup_may_have_several_links() {
    let catalog = read(&completed(
        "[tables.orders]\nsource = \"o.csv\"\nparent = \"profiles\"\non = \"customer\"\n\
         [tables.stores]\nsource = \"s.csv\"\nkey = \"id\"\n\
         lookup = { stores = [\"orders.store\", \"profiles.store\"], home = \"profiles.home_store\" }\n",
    ))
    .unwrap();
    let link = |name: &str, table: &str, column: &str| Link {
        name: name.to_owned(),
        from_table: table.to_owned(),
        from_column: column.to_owned(),
    };
    assert_eq!(
        catalog.table("stores").unwrap().lookup,
        [
            link("stores", "orders", "store"),
            link("stores", "profiles", "store"),
            link("home", "profiles", "home_store")
        ]
    );
}

#[test]
fn a_column_may_have_any_name_that_a_file_gives_it() {
    let catalog = read(&completed(
        "[tables.profiles]\nsource = \"c.csv\"\nkey = \"Customer.Id\"\n\
         [tables.profiles.columns]\n\"Customer.Id\" = { type = \"id\" }\nwith_dots = { from = \"a.b c\", type = \"int\" }\n",
    ))
    .unwrap();
    let columns: Vec<(&str, &str)> =
        catalog.root().columns.iter().map(|column| (column.name.as_str(), column.from.as_str())).collect();
    assert_eq!(columns, [("Customer.Id", "Customer.Id"), ("with_dots", "a.b c")]);
}

#[test]
fn without_a_word_a_conversation_is_private_unless_the_server_is_this_machine() {
    let tls = |host: &str, more: &str| {
        let text = format!("[channels.email]\nkind = \"smtp\"\nhost = \"{host}\"\nfrom = \"a@b.example\"\n{more}");
        match read(&completed(&text)).unwrap().channels.remove(0) {
            Channel::Smtp(smtp) => (smtp.tls, smtp.port, smtp.connections),
            console @ Channel::Console { .. } => panic!("{console:?}"),
        }
    };
    assert_eq!(tls("127.0.0.1", ""), (Tls::None, 587, 8));
    assert_eq!(tls("mail.shop.example", ""), (Tls::StartTls, 587, 8));
    assert_eq!(tls("mail.shop.example", "tls = \"tls\"\nport = 465\nconnections = 1\n"), (Tls::Always, 465, 1));
    let console = read(&completed("[channels.screen]\nkind = \"console\"\n")).unwrap();
    assert_eq!(console.channels, [Channel::Console { name: "screen".to_owned() }]);
}
