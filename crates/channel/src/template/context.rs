//! What a template sees.

use std::collections::BTreeMap;

use minijinja::Value;
use serde_json::{Map, Value as Json};

use crate::UnsubscribeLink;

/// The data of one message: four objects under the names that templates use.
///
/// An empty field (`null`) is not there for a template: printing it is an error unless the template writes a default,
/// and testing it (`{% if profile.first_name %}`) is false.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Context {
    /// `profile`: its fields by name.
    pub profile: Map<String, Json>,
    /// `journey`: what is known of this profile's way through the campaign.
    pub journey: Map<String, Json>,
    /// `campaign`: its name and what it says about itself.
    pub campaign: Map<String, Json>,
    /// `links`: where this recipient can go.
    pub links: Links,
}

/// Addresses made for one recipient.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    /// `links.unsubscribe`, which also stands in the headers.
    pub unsubscribe: Option<UnsubscribeLink>,
}

/// The names under which a template finds anything at all.
pub(super) const ROOTS: [&str; 6] = ["profile", "journey", "campaign", "links", "subject", "preheader"];

/// A context as the engine takes it, converted once for all parts of a message.
pub(super) struct Variables<'a> {
    context: &'a Context,
    values: BTreeMap<&'static str, Value>,
}

impl<'a> Variables<'a> {
    pub fn of(context: &'a Context) -> Self {
        // A link holds nothing that could end an attribute, and escaping would hide its slashes from link scanners.
        let safe = |link: &UnsubscribeLink| Value::from_safe_string(link.as_str().to_owned());
        let links = context.links.unsubscribe.iter().map(|link| ("unsubscribe", safe(link)));
        let values = BTreeMap::from([
            ("profile", object(&context.profile)),
            ("journey", object(&context.journey)),
            ("campaign", object(&context.campaign)),
            ("links", Value::from_pairs(links)),
        ]);
        Self { context, values }
    }

    /// Adds a variable that one part makes for the next.
    pub fn add(&mut self, name: &'static str, text: &str) {
        self.values.insert(name, Value::from(text));
    }

    /// All of them as one value.
    pub fn value(&self) -> Value {
        Value::from_pairs(self.values.iter().map(|(name, value)| (*name, value.clone())))
    }

    /// Every name that a template could have written, empty or not: `profile.first_name`. Sorted within each root.
    pub fn known(&self) -> Vec<String> {
        let objects = [
            ("profile", &self.context.profile),
            ("journey", &self.context.journey),
            ("campaign", &self.context.campaign),
        ];
        let fields =
            objects.into_iter().flat_map(|(root, fields)| fields.keys().map(move |field| format!("{root}.{field}")));
        fields.chain(["links.unsubscribe".to_owned()]).collect()
    }
}

fn object(fields: &Map<String, Json>) -> Value {
    Value::from_pairs(
        fields.iter().filter(|(_, value)| !value.is_null()).map(|(name, field)| (name.as_str(), value(field))),
    )
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::UNDEFINED,
        Json::Object(fields) => object(fields),
        Json::Array(items) => Value::from_iter(items.iter().map(value)),
        Json::Bool(flag) => Value::from(*flag),
        Json::String(text) => Value::from(text.as_str()),
        Json::Number(number) => self::number(number),
    }
}

/// Whole numbers stay whole; what is neither signed nor unsigned 64-bit is a float for JSON too.
fn number(number: &serde_json::Number) -> Value {
    match (number.as_i64(), number.as_u64(), number.as_f64()) {
        (Some(signed), ..) => Value::from(signed),
        (_, Some(unsigned), _) => Value::from(unsigned),
        (.., float) => Value::from(float.unwrap_or(f64::NAN)),
    }
}
