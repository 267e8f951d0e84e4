//! Which rows the words around the cursor are about: the tables of FROM with their aliases, and those of a FILTER.

use muster_catalog::TableNames;

use super::known::Known;
use super::words::Word;

/// Words behind a table in FROM that are no alias of it.
const NO_ALIAS: [&str; 17] = [
    "WHERE",
    "ON",
    "JOIN",
    "LEFT",
    "RIGHT",
    "FULL",
    "INNER",
    "CROSS",
    "GROUP",
    "ORDER",
    "HAVING",
    "LIMIT",
    "QUALIFY",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "USING",
];

/// The tables that a statement names, as it names them.
pub struct Scope<'a> {
    known: &'a Known,
    /// Name or alias, with the table.
    named: Vec<(&'a str, &'a TableNames)>,
    /// The table whose rows an open FILTER chooses from.
    filtered: Option<&'a TableNames>,
}

impl<'a> Scope<'a> {
    /// The scope at the end of `before`, in a statement that goes on with `after`.
    pub fn of(known: &'a Known, before: &[Word<'a>], after: &[Word<'a>]) -> Self {
        let all: Vec<Word<'a>> = before.iter().chain(after).copied().collect();
        let mut named: Vec<_> = (0..all.len()).filter_map(|place| from_item(known, &all, place)).collect();
        named.extend((0..all.len()).filter_map(|place| named_rows(known, &all[place..])));
        Self { known, named, filtered: filtered(known, before) }
    }

    /// Every table whose columns may stand here bare, the nearest first.
    pub fn seen(&self) -> Vec<&'a TableNames> {
        if let Some(table) = self.filtered {
            return self.known.seen_from(table);
        }
        let from: Vec<&TableNames> = self.named.iter().map(|(_, table)| *table).collect();
        let grains = if from.is_empty() { self.known.root().into_iter().collect() } else { from };
        let mut seen: Vec<&TableNames> = Vec::new();
        for table in grains.iter().copied().chain(grains.iter().flat_map(|grain| self.known.seen_from(grain))) {
            if !seen.iter().any(|there| there.name == table.name) {
                seen.push(table);
            }
        }
        seen
    }

    /// The table that `name` stands for before a point: an alias, a table, a link.
    pub fn qualified(&self, name: &str) -> Option<&'a TableNames> {
        let alias = self.named.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name)).map(|(_, table)| *table);
        alias.or_else(|| self.known.table(name)).or_else(|| self.known.linked(name))
    }

    /// The aliases.
    pub fn aliases(&self) -> impl Iterator<Item = &'a str> {
        self.named.iter().filter(|(alias, table)| !alias.eq_ignore_ascii_case(&table.name)).map(|(alias, _)| *alias)
    }
}

/// `FROM orders AS o`, read at the place of `orders`.
fn from_item<'a>(known: &'a Known, words: &[Word<'a>], place: usize) -> Option<(&'a str, &'a TableNames)> {
    let name = words[place].name()?;
    let table = known.table(name).filter(|_| is_in_from(&words[..place]))?;
    let behind = words.get(place + 1..).unwrap_or_default();
    let alias = match behind {
        [first, second, ..] if first.is("AS") => second.name(),
        [first, ..] => first.name().filter(|alias| !NO_ALIAS.iter().any(|word| word.eq_ignore_ascii_case(alias))),
        [] => None,
    };
    Some((alias.unwrap_or(name), table))
}

/// Whether a table is expected behind `words`: FROM, JOIN, or a comma between tables.
pub fn is_in_from(words: &[Word<'_>]) -> bool {
    let Some(last) = words.last() else { return false };
    if last.is("FROM") || last.is("JOIN") {
        return true;
    }
    let clauses = ["SELECT", "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "QUALIFY", "LIMIT", "ON", "USING"];
    let depth = |word: &Word<'_>| match word {
        Word::Sign('(') => -1,
        Word::Sign(')') => 1,
        _ => 0,
    };
    let mut below = 0;
    let clause = words.iter().rev().find(|word| {
        below += depth(word);
        below <= 0 && (below < 0 || clauses.iter().any(|clause| word.is(clause)))
    });
    *last == Word::Sign(',') && clause.is_some_and(|clause| clause.is("FROM"))
}

/// `a => order_lines`: rows that have a name.
fn named_rows<'a>(known: &'a Known, words: &[Word<'a>]) -> Option<(&'a str, &'a TableNames)> {
    match words {
        [name, Word::Sign('='), Word::Sign('>'), table, ..] => Some((name.name()?, known.table(table.name()?)?)),
        _ => None,
    }
}

/// The table of the aggregate whose FILTER is open at the end of `words`.
fn filtered<'a>(known: &'a Known, words: &[Word<'a>]) -> Option<&'a TableNames> {
    let open = innermost_open(words, |before| before.last().is_some_and(|word| word.is("FILTER")))?;
    let (call, last) = words[..open - 1].split_at_checked(open.checked_sub(2)?)?;
    if last != [Word::Sign(')')] {
        return None;
    }
    let start = innermost_open(call, |_| true)?;
    call[start + 1..].iter().find_map(|word| known.table(word.name()?))
}

/// The place of the innermost `(` that is still open at the end of `words` and stands behind words that are `wanted`.
fn innermost_open(words: &[Word<'_>], wanted: impl Fn(&[Word<'_>]) -> bool) -> Option<usize> {
    let mut closed = 0;
    for (place, word) in words.iter().enumerate().rev() {
        match word {
            Word::Sign(')') => closed += 1,
            Word::Sign('(') if closed > 0 => closed -= 1,
            Word::Sign('(') if wanted(&words[..place]) => return Some(place),
            _ => {}
        }
    }
    None
}
