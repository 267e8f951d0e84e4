//! The nearest spelling of a name that nobody knows.

/// The candidate that `name` was most likely meant to be, if one is near enough to be worth saying.
///
/// Near is a Damerau–Levenshtein distance of at most a third of the name's length (at least one), capitals aside; ties go
/// to the first candidate.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let limit = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&name, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised_and_a_stranger_is_not() {
        let keys = ["delimiter", "source", "key"];
        assert_eq!(nearest("delimeter", keys), Some("delimiter"));
        assert_eq!(nearest("Suorce", keys), Some("source"));
        assert_eq!(nearest("colour", keys), None);
    }
}
