//! What is in a question, so that it can be shown that nothing is missing in many of them.

use std::collections::BTreeMap;

/// What a question uses.
#[derive(Debug, Clone, Default)]
pub struct Mix {
    /// How often it uses each function and operator.
    pub functions: BTreeMap<String, usize>,
    /// The features that it has, each once.
    pub features: std::collections::BTreeSet<&'static str>,
}

impl Mix {
    /// One more call.
    pub fn calls(&mut self, function: &str) {
        *self.functions.entry(function.to_owned()).or_default() += 1;
    }

    /// Something that the question has.
    pub fn has(&mut self, feature: &'static str) {
        self.features.insert(feature);
    }
}
