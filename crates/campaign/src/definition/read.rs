//! The text of `campaigns/<name>.toml` becomes a [`Definition`], strictly: an unknown key is an error with its place and
//! the nearest spelling, a key of the design that nothing acts on yet is refused as such, never ignored.

use std::collections::BTreeMap;

use muster_catalog::{Problem, Problems, nearest};
use toml_edit::{Document, TomlError};

use super::fields::{Fields, Keys, Text};
use super::{Control, Definition, Mention, Next, Objective, Purpose, Send, Step};

const TOP: Keys = Keys {
    known: &["objective", "purpose", "priority", "enter", "control", "steps"],
    later: &[
        "approval",
        "audience",
        "data",
        "end",
        "exit",
        "goal",
        "latest_start",
        "let",
        "limits",
        "offers",
        "quiet_hours",
        "replan_on",
        "start",
        "state",
        "when",
    ],
};

const ENTER: Keys = Keys {
    known: &["segment"],
    later: &["as", "at", "created", "changed", "date", "every", "once_per", "quiet", "response", "signal", "table"],
};

const CONTROL: Keys = Keys { known: &["share", "seed"], later: &["global"] };

const STEP: Keys = Keys {
    known: &["id", "send", "then"],
    later: &["add", "branch", "campaign", "delete", "repeat", "set", "split", "wait", "webhook", "when"],
};

/// Everything else in `send` names a channel, which only the workspace knows.
const SEND_LATER: [&str; 9] = ["at", "file", "first_of", "language", "offer", "pdf", "push", "sms", "webhook"];

const OBJECTIVES: [(&str, Objective); 4] = [
    ("acquire", Objective::Acquire),
    ("protect", Objective::Protect),
    ("nurture", Objective::Nurture),
    ("retain", Objective::Retain),
];

const PURPOSES: [(&str, Purpose); 2] = [("marketing", Purpose::Marketing), ("service", Purpose::Service)];

/// The word in `then` that ends a journey, and so no step's id.
const END: &str = "end";

/// More than any hand-written campaign has; keeps the walk over them short.
const MOST_STEPS: usize = 1_000;

impl Definition {
    /// Reads the text of the campaign `name`; `file` is how messages call it.
    ///
    /// # Errors
    /// Every problem of the text, in the order of their places.
    pub fn parse(file: &str, name: &str, text: &str) -> Result<Self, Problems> {
        let source = Text::new(file, text);
        let document = Document::parse(text).map_err(|error| syntax(&source, &error))?;
        let definition = definition(&Fields::top(&source, document.as_table()), name);
        match (source.into_problems(), definition) {
            (None, Some(definition)) => Ok(definition),
            (problems, _) => Err(problems.unwrap_or_else(|| Problems(Vec::new()))),
        }
    }
}

fn syntax(source: &Text<'_>, error: &TomlError) -> Problems {
    let place = source.place(error.span().map_or(0, |span| span.start));
    Problems(vec![Problem { place, message: error.message().replace('\n', "; "), hint: None }])
}

/// `None` only where a problem was reported.
fn definition(top: &Fields<'_>, name: &str) -> Option<Definition> {
    top.only(&TOP);
    check_name(top, name);
    let objective = top.required_word("objective", &OBJECTIVES);
    let purpose = top.required_word("purpose", &PURPOSES);
    let priority = top.number("priority").unwrap_or(0);
    let segment = enter(top);
    let control = control(top, name);
    let steps = steps(top);
    Some(Definition {
        name: name.to_owned(),
        objective: objective?,
        purpose: purpose?,
        priority,
        segment: segment?,
        control,
        steps: steps?,
    })
}

fn check_name(top: &Fields<'_>, name: &str) {
    if !is_name(name) {
        top.problem(format!("a campaign's file cannot be called \"{name}\"; expected {NAME}"));
    }
}

fn enter(top: &Fields<'_>) -> Option<Mention> {
    const EXAMPLE: &str = "a table, as { segment = \"lapsed\" }";
    if !top.has("enter") {
        top.problem(
            "`enter` is missing in the file; it says who enters, as enter = { segment = \"lapsed\" }".to_owned(),
        );
    }
    let enter = top.table("enter", EXAMPLE)?;
    enter.only(&ENTER);
    enter.required_mention("segment")
}

fn control(top: &Fields<'_>, name: &str) -> Option<Control> {
    let control = top.table("control", "a table, as { share = 0.1, seed = \"cart\" }")?;
    control.only(&CONTROL);
    let seed = control.text("seed").unwrap_or_else(|| name.to_owned());
    Some(Control { share: control.share("share")?, seed })
}

fn steps(top: &Fields<'_>) -> Option<Vec<Step>> {
    const EXAMPLE: &str = "tables, each written under [[steps]]";
    let written = top.tables("steps", "step", EXAMPLE);
    if !top.has("steps") {
        top.problem("`steps` is missing in the file; expected at least one [[steps]] with `id` and `send`".to_owned());
    }
    if written.len() > MOST_STEPS {
        top.problem_at("steps", format!("{} steps are too many; at most {MOST_STEPS}", written.len()), None);
        return None;
    }
    let ids: Vec<Option<String>> = written.iter().map(id).collect();
    refuse_double_ids(&written, &ids);
    let steps: Vec<Option<Step>> = written.iter().enumerate().map(|(index, one)| step(one, index, &ids)).collect();
    let steps: Vec<Step> = steps.into_iter().collect::<Option<_>>()?;
    let whole = !steps.is_empty() && leads_everywhere_once(&written, &steps);
    whole.then_some(steps)
}

fn id(step: &Fields<'_>) -> Option<String> {
    let Mention { name, .. } = step.required_mention("id")?;
    if name == END || !is_name(&name) {
        step.problem_in("id", format!("\"{name}\" cannot be a step's id; expected {NAME}, and not \"{END}\""), None);
        return None;
    }
    Some(name)
}

fn refuse_double_ids(written: &[Fields<'_>], ids: &[Option<String>]) {
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, id) in ids.iter().enumerate() {
        let Some(id) = id else { continue };
        if let Some(before) = first.get(id.as_str()) {
            let message = format!("\"{id}\" is already the id of step {}; each step has its own", before + 1);
            written[index].problem_in("id", message, None);
        } else {
            first.insert(id, index);
        }
    }
}

fn step(fields: &Fields<'_>, index: usize, ids: &[Option<String>]) -> Option<Step> {
    fields.only(&STEP);
    let send = send(fields);
    let then = then(fields, index, ids);
    Some(Step { id: ids[index].clone()?, send: send?, then: then? })
}

fn send(step: &Fields<'_>) -> Option<Send> {
    const EXAMPLE: &str = "a table, as { email = \"cart/still_in_cart\" }";
    if !step.has("send") && !STEP.later.iter().any(|key| step.has(key)) {
        step.problem(format!("`send` is missing in {}; expected {EXAMPLE}", step.title()));
    }
    let send = step.table("send", EXAMPLE)?;
    let later: Vec<&str> = send.keys().into_iter().filter(|key| SEND_LATER.contains(key)).collect();
    for key in &later {
        send.problem_at(key, format!("`{key}` in {} is not supported yet", send.title()), None);
    }
    let topic = send.text("topic");
    let channels: Vec<&str> = send.keys().into_iter().filter(|key| *key != "topic" && !later.contains(key)).collect();
    match channels[..] {
        [channel] => Some(Send { channel: send.key(channel), template: send.mention(channel)?, topic }),
        [] if later.is_empty() => {
            send.problem(format!(
                "{} names no channel; expected one, as {{ email = \"cart/still_in_cart\" }}",
                send.title()
            ));
            None
        }
        [] => None,
        [first, second, ..] => {
            let message =
                format!("{} names two channels, `{first}` and `{second}`; a step sends over one", send.title());
            send.problem_at(second, message, None);
            None
        }
    }
}

fn then(step: &Fields<'_>, index: usize, ids: &[Option<String>]) -> Option<Next> {
    if !step.has("then") {
        return Some(if index + 1 < ids.len() { Next::Step(index + 1) } else { Next::End });
    }
    let then = step.text("then")?;
    if then == END {
        return Some(Next::End);
    }
    let target = ids.iter().position(|id| id.as_deref() == Some(then.as_str())).map(Next::Step);
    if target.is_none() {
        let known = ids.iter().flatten().map(String::as_str).chain([END]);
        let hint = nearest(&then, known).map(|near| format!("did you mean \"{near}\"?"));
        step.problem_in("then", format!("no step has the id \"{then}\"; expected one, or \"{END}\""), hint);
    }
    target
}

/// Walks from the first step: one that comes twice would send twice, one that never comes is a mistake.
fn leads_everywhere_once(written: &[Fields<'_>], steps: &[Step]) -> bool {
    let mut visited = vec![false; steps.len()];
    let mut at = Next::Step(0);
    let mut from = 0;
    while let Next::Step(index) = at {
        if visited[index] {
            let message = format!(
                "step \"{}\" leads back to \"{}\"; a journey comes to each step at most once",
                steps[from].id, steps[index].id
            );
            written[from].problem_at("then", message, None);
            return false;
        }
        visited[index] = true;
        (from, at) = (index, steps[index].then);
    }
    for unreached in (0..steps.len()).filter(|index| !visited[*index]) {
        written[unreached]
            .problem(format!("no journey comes to step \"{}\"; no `then` leads there", steps[unreached].id));
    }
    visited.into_iter().all(|was| was)
}

const NAME: &str = "1 to 64 small letters, digits, _ and -, a letter first";

/// Names stand in the ledger for ever and in file names of every system.
fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.len() <= 64 && name.chars().all(fits)
}
