//! Markup in which a text can only stand escaped.

use std::fmt::Write;

/// A piece of a page. Texts become one by [`text`] alone, so nothing that comes from data is ever read as markup.
#[derive(Debug, Clone, Default)]
pub struct Markup(String);

impl Markup {
    /// The page's text.
    pub fn into_text(self) -> String {
        self.0
    }

    /// A drawing of so many pixels.
    pub fn within(self, width: u64, height: u64) -> Self {
        Self(format!("<svg viewBox=\"0 0 {width} {height}\" role=\"img\">\n{}</svg>\n", self.0))
    }
}

impl FromIterator<Markup> for Markup {
    fn from_iter<T: IntoIterator<Item = Markup>>(pieces: T) -> Self {
        Self(pieces.into_iter().map(|piece| piece.0).collect())
    }
}

/// A text, as it is to be read.
pub fn text(text: &str) -> Markup {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Controls have no look and are no part of a page; what they are is worth seeing.
            control if control.is_control() && control != '\n' && control != '\t' => {
                escaped.extend(control.escape_default());
            }
            plain => escaped.push(plain),
        }
    }
    Markup(escaped)
}

/// `<name attributes>inside</name>`, whose name and attributes are ours.
pub fn element(name: &'static str, attributes: &'static str, inside: Markup) -> Markup {
    let blank = if attributes.is_empty() { "" } else { " " };
    Markup(format!("<{name}{blank}{attributes}>{}</{name}>\n", inside.0))
}

/// The same with attributes that are numbers.
pub fn figure(name: &'static str, attributes: &[(&'static str, u64)], inside: Markup) -> Markup {
    let mut opened = format!("<{name}");
    for (attribute, number) in attributes {
        let _ = write!(opened, " {attribute}=\"{number}\"");
    }
    Markup(format!("{opened}>{}</{name}>\n", inside.0))
}

/// A line through points; its class is ours.
pub fn line(class: &'static str, points: &[(u64, u64)]) -> Markup {
    let points: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
    Markup(format!("<polyline class=\"{class}\" points=\"{}\"/>\n", points.join(" ")))
}

/// A heading and what stands below it.
pub fn section(heading: &str, below: impl IntoIterator<Item = Markup>) -> Markup {
    let heading = element("h2", "", text(heading));
    element("section", "", std::iter::once(heading).chain(below).collect())
}

/// A paragraph.
pub fn paragraph(words: &str) -> Markup {
    element("p", "", text(words))
}

/// A cell of a table.
pub enum Cell {
    /// Words, on the left.
    Words(String),
    /// A figure, on the right.
    Figure(String),
    /// A figure that somebody should look at.
    Alarm(String),
}

impl Cell {
    /// Words.
    pub fn words(words: impl Into<String>) -> Self {
        Self::Words(words.into())
    }

    /// A number.
    pub fn number(number: u64) -> Self {
        Self::Figure(crate::commands::load::thousands(number))
    }

    /// A number that should be zero.
    pub fn should_be_zero(number: u64) -> Self {
        let figure = crate::commands::load::thousands(number);
        if number == 0 { Self::Figure(figure) } else { Self::Alarm(figure) }
    }

    fn markup(&self) -> Markup {
        match self {
            Self::Words(words) => element("td", "", text(words)),
            Self::Figure(figure) => element("td", "class=\"figure\"", text(figure)),
            Self::Alarm(figure) => element("td", "class=\"figure alarm\"", text(figure)),
        }
    }
}

/// A table; where it has no rows, the words that say so instead.
pub fn table(headings: &[&str], rows: Vec<Vec<Cell>>, without_rows: &str) -> Markup {
    if rows.is_empty() {
        return paragraph(without_rows);
    }
    let heads = headings.iter().map(|heading| element("th", "", text(heading))).collect();
    let row = |cells: &Vec<Cell>| element("tr", "", cells.iter().map(Cell::markup).collect());
    let head = element("thead", "", element("tr", "", heads));
    let body = element("tbody", "", rows.iter().map(row).collect());
    element("table", "", [head, body].into_iter().collect())
}

/// The whole document. Its policy lets nothing run and nothing be fetched, whatever slipped in.
pub fn document(title: &str, body: Markup) -> String {
    let title = element("title", "", text(title)).into_text();
    let body = body.into_text();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         {title}<style>\n{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
}

const STYLE: &str = include_str!("page.css");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_never_markup() {
        let escaped = text("<script>alert(\"a & 'b'\")</script>\u{7}").into_text();
        assert_eq!(escaped, "&lt;script&gt;alert(&quot;a &amp; &#39;b&#39;&quot;)&lt;/script&gt;\\u{7}");
    }
}
