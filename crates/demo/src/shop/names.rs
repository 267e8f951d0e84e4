//! First and last names, as common in the Netherlands, some with letters beyond ASCII.

/// First names of women.
pub(super) const WOMEN: &[&str] = &[
    "Emma", "Julia", "Mila", "Tess", "Sophie", "Zoë", "Sara", "Nora", "Yara", "Eva", "Lotte", "Anna", "Liv", "Noor",
    "Maud", "Fenna", "Saar", "Loïs", "Evi", "Roos", "Femke", "Sanne", "Lisa", "Anouk", "Kim", "Iris", "Esther",
    "Marieke", "Ingrid", "Monique", "Petra", "Wilma", "Ria", "Joke", "Fatima", "Aylin", "Naomi", "Chantal", "Renée",
    "Hanneke",
];

/// First names of men.
pub(super) const MEN: &[&str] = &[
    "Noah", "Lucas", "Sem", "Daan", "Finn", "Levi", "Luuk", "Mees", "James", "Milan", "Bram", "Liam", "Thijs", "Adam",
    "Jesse", "Ruben", "Lars", "Stijn", "Gijs", "Tim", "Niels", "Jeroen", "Bas", "Mark", "Peter", "Jan", "Kees", "Henk",
    "Willem", "Gerard", "Johan", "Marcel", "René", "Mohammed", "Emre", "Omar", "Joost", "Sjoerd", "Wouter", "Björn",
];

/// Last names, with their particle.
pub(super) const LAST: &[&str] = &[
    "de Jong",
    "Jansen",
    "de Vries",
    "van den Berg",
    "van Dijk",
    "Bakker",
    "Janssen",
    "Visser",
    "Smit",
    "Meijer",
    "de Boer",
    "Mulder",
    "de Groot",
    "Bos",
    "Vos",
    "Peters",
    "Hendriks",
    "van Leeuwen",
    "Dekker",
    "Brouwer",
    "de Wit",
    "Dijkstra",
    "Smits",
    "de Graaf",
    "van der Meer",
    "van der Linden",
    "Kok",
    "Jacobs",
    "de Haan",
    "Vermeulen",
    "van den Heuvel",
    "van der Veen",
    "van den Broek",
    "de Bruijn",
    "de Bruin",
    "van der Heijden",
    "Schouten",
    "van Beek",
    "Willems",
    "van Vliet",
    "van de Ven",
    "Hoekstra",
    "Maas",
    "Verhoeven",
    "Koster",
    "van Dam",
    "van der Wal",
    "Prins",
    "Blom",
    "Huisman",
    "Peeters",
    "Kuipers",
    "van Veen",
    "Yılmaz",
    "Kaya",
    "Özdemir",
    "El Amrani",
    "Nguyen",
    "Müller",
    "Claes",
];

/// The name as it stands in an e-mail address: small ASCII letters.
pub(super) fn mailbox(name: &str) -> String {
    name.to_lowercase().chars().filter_map(plain).collect()
}

fn plain(letter: char) -> Option<char> {
    match letter {
        'a'..='z' => Some(letter),
        'ë' | 'é' => Some('e'),
        'ï' | 'ı' => Some('i'),
        'ö' => Some('o'),
        'ü' => Some('u'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_keeps_every_letter_as_ascii() {
        assert_eq!(mailbox("Zoë"), "zoe");
        assert_eq!(mailbox("van den Berg"), "vandenberg");
        for name in [WOMEN, MEN, LAST].concat() {
            let letters = name.chars().filter(|letter| letter.is_alphabetic()).count();
            assert_eq!(mailbox(name).len(), letters, "{name}");
        }
    }
}
