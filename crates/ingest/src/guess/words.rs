//! What the names of tables and columns give away, in English, Dutch and German.
//!
//! A name is a hint and never enough where the values speak against it.

/// The words of a name: `CustomerID`, `customer_id` and `Customer Id` are customer, id.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut before = ' ';
    for letter in name.chars() {
        let begins = letter.is_uppercase() && before.is_lowercase();
        if begins || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if letter.is_alphanumeric() {
            words.last_mut().expect("there is always a last word").extend(letter.to_lowercase());
        }
        before = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether one of the words of `name` is in `list`; plurals count.
pub(crate) fn has_word(name: &str, list: &[&str]) -> bool {
    words(name).iter().any(|word| list.contains(&word.as_str()) || list.contains(&singular(word).as_str()))
}

fn singular(word: &str) -> String {
    match word {
        word if word.ends_with("ies") => format!("{}y", &word[..word.len() - 3]),
        word if word.ends_with('s') && !word.ends_with("ss") => word[..word.len() - 1].to_owned(),
        word => word.to_owned(),
    }
}

pub(crate) const PERSON: &[&str] = &[
    "customer",
    "client",
    "member",
    "person",
    "people",
    "user",
    "household",
    "profile",
    "subscriber",
    "contact",
    "buyer",
    "shopper",
    "demographic",
    "account",
    "patient",
    "donor",
    "guest",
    "klant",
    "klanten",
    "lid",
    "leden",
    "persoon",
    "gebruiker",
    "huishouden",
    "kunde",
    "kunden",
    "mitglied",
    "nutzer",
];
pub(crate) const THING: &[&str] = &[
    "product",
    "item",
    "article",
    "store",
    "shop",
    "site",
    "campaign",
    "category",
    "coupon",
    "order",
    "invoice",
    "basket",
    "transaction",
    "purchase",
    "cart",
    "line",
    "visit",
    "event",
    "session",
    "promotion",
    "description",
    "supplier",
    "brand",
    "artikel",
    "winkel",
    "bestelling",
    "regel",
    "factuur",
    "filiale",
    "bestellung",
];
pub(crate) const ID_ENDINGS: &[&str] =
    &["id", "ids", "key", "code", "upc", "ean", "sku", "gtin", "isbn", "nr", "no", "uuid", "guid", "barcode", "nummer"];
pub(crate) const HAPPENED: &[&str] = &[
    "placed",
    "ordered",
    "created",
    "transaction",
    "purchased",
    "bought",
    "sold",
    "visited",
    "invoice",
    "redemption",
    "timestamp",
    "event",
    "occurred",
    "started",
    "sent",
    "opened",
    "clicked",
    "besteld",
    "datum",
    "tijdstip",
    "order",
];
pub(crate) const LATER: &[&str] = &[
    "updated",
    "changed",
    "modified",
    "expected",
    "due",
    "delivered",
    "delivery",
    "shipped",
    "end",
    "until",
    "expires",
    "expiry",
    "valid",
    "closed",
    "last",
    "gewijzigd",
    "verwacht",
    "birth",
    "geboorte",
];
pub(crate) const CHANGED: &[&str] = &["updated", "changed", "modified", "gewijzigd", "mutatie", "geändert"];
pub(crate) const BEGAN: &[&str] = &[
    "created",
    "signup",
    "signed",
    "registered",
    "registration",
    "joined",
    "since",
    "enrolled",
    "enrollment",
    "aangemaakt",
    "ingeschreven",
];
pub(crate) const CONSENT: &[&str] = &[
    "consent",
    "optin",
    "opt",
    "newsletter",
    "permission",
    "subscribed",
    "marketing",
    "agreed",
    "toestemming",
    "nieuwsbrief",
    "einwilligung",
];
pub(crate) const EMAIL: &[&str] = &["email", "mail", "emailaddress", "newsletter", "nieuwsbrief"];
pub(crate) const SMS: &[&str] = &["sms", "mobile", "text", "mobiel", "handy"];
pub(crate) const PUSH: &[&str] = &["push", "app"];
pub(crate) const POSTCODE: &[&str] = &["postcode", "zip", "zipcode", "postal", "postalcode", "plz"];
pub(crate) const LATITUDE: &[&str] = &["lat", "latitude", "breedtegraad"];
pub(crate) const LONGITUDE: &[&str] = &["lon", "lng", "long", "longitude", "lengtegraad"];
pub(crate) const BIRTH: &[&str] = &["birth", "birthday", "birthdate", "dob", "born", "geboorte", "geboortedatum"];
pub(crate) const LANGUAGE: &[&str] = &["language", "lang", "locale", "taal", "sprache"];

/// Whether the name ends as names of ids do. `number_of_items` and `item_count` do not.
pub(crate) fn names_an_id(name: &str) -> bool {
    let words = words(name);
    words.last().is_some_and(|last| ID_ENDINGS.contains(&last.as_str()))
        || words.iter().any(|word| word == "postcode" || word == "zipcode")
}

/// How much the name of a column says that it holds the key `key` of the table `table`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Agreement {
    /// Nothing.
    None,
    /// They share a word.
    Some,
    /// It is the very name, or the table's name with `id`.
    Full,
}

/// See [`Agreement`].
pub(crate) fn agreement(column: &str, table: &str, key: &str) -> Agreement {
    let (column, key) = (words(column), words(key));
    let table: Vec<String> = words(table).iter().map(|word| singular(word)).collect();
    let telling = |words: &[String]| {
        let generic = |word: &&String| !ID_ENDINGS.contains(&word.as_str()) && *word != "number";
        words.iter().filter(generic).map(|word| singular(word)).collect::<Vec<_>>()
    };
    let (of_column, of_key) = (telling(&column), telling(&key));
    if of_column.is_empty() {
        return Agreement::None;
    }
    if of_column == of_key || (of_key.is_empty() && of_column == table) {
        return Agreement::Full;
    }
    let known = |word: &String| of_key.contains(word) || (of_key.is_empty() && table.contains(word));
    if of_column.iter().any(known) { Agreement::Some } else { Agreement::None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_into_words() {
        for (name, expected) in [
            ("CustomerID", vec!["customer", "id"]),
            ("customer_id", vec!["customer", "id"]),
            ("Order Date", vec!["order", "date"]),
            ("SKU", vec!["sku"]),
            ("", vec![]),
        ] {
            assert_eq!(words(name), expected, "{name}");
        }
    }

    #[test]
    fn a_column_agrees_with_a_key_by_its_name() {
        for (column, table, key, expected) in [
            ("household_id", "demographics", "household_id", Agreement::Full),
            ("customer_id", "customers", "id", Agreement::Full),
            ("CustomerNo", "clients", "customer_id", Agreement::Full),
            ("home_store", "stores", "store_id", Agreement::Some),
            ("store_id", "products", "product_id", Agreement::None),
            ("id", "customers", "id", Agreement::None),
        ] {
            assert_eq!(agreement(column, table, key), expected, "{column} {table}.{key}");
        }
    }

    #[test]
    fn a_name_that_ends_as_ids_do_names_an_id() {
        assert!(["order_id", "coupon_upc", "InvoiceNo", "postcode"].into_iter().all(names_an_id));
        assert!(["paid", "number_of_items", "week", "valid"].into_iter().all(|name| !names_an_id(name)));
    }
}
