//! The interpreter, tested like arithmetic.

use muster_campaign::Definition;
use muster_campaign::interpreter::{Action, End, Event, Fate, JourneyState, step};
use proptest::prelude::*;

/// A campaign of steps `s0`, `s1` …, each with the number of the step that it leads to.
fn definition(then: &[Option<usize>]) -> Definition {
    let mut text = String::from("objective = \"retain\"\npurpose = \"marketing\"\nenter = { segment = \"all\" }\n");
    for (index, then) in then.iter().enumerate() {
        let then = then.map_or("end".to_owned(), |step| format!("s{step}"));
        text += &format!("[[steps]]\nid = \"s{index}\"\nsend = {{ email = \"t\" }}\nthen = \"{then}\"\n");
    }
    Definition::parse("campaigns/c.toml", "c", &text).unwrap_or_else(|problems| panic!("{problems}\n{text}"))
}

const OUTSIDE: JourneyState = JourneyState::Outside;
const COMPLETED: JourneyState = JourneyState::Ended(End::Completed);
const CONTROL: JourneyState = JourneyState::Ended(End::Control);

const fn at(step: usize) -> JourneyState {
    JourneyState::At(step)
}

const fn settled(step: usize) -> Event {
    Event::Settled { step, fate: Fate::Sent }
}

#[test]
fn each_event_in_each_state() {
    let two = definition(&[Some(1), None]);
    let send = |step| vec![Action::Send { step }];
    for (state, event, next, actions) in [
        (OUTSIDE, Event::Entered, at(0), send(0)),
        (OUTSIDE, Event::HeldOut, CONTROL, vec![Action::HoldOut { step: 0 }]),
        (OUTSIDE, settled(0), OUTSIDE, vec![]),
        (at(0), settled(0), at(1), send(1)),
        (at(1), settled(1), COMPLETED, vec![]),
        // Reports that come twice, or late.
        (at(0), Event::Entered, at(0), vec![]),
        (at(1), settled(0), at(1), vec![]),
        (at(0), settled(1), at(0), vec![]),
        (COMPLETED, settled(1), COMPLETED, vec![]),
        (COMPLETED, Event::Entered, COMPLETED, vec![]),
        (CONTROL, settled(0), CONTROL, vec![]),
        (CONTROL, Event::Entered, CONTROL, vec![]),
    ] {
        assert_eq!(step(&two, state, event), (next, actions), "{state:?}, {event:?}");
    }
}

#[test]
fn a_journey_goes_on_whatever_became_of_its_message() {
    let two = definition(&[Some(1), None]);
    for fate in [Fate::Sent, Fate::Skipped, Fate::Failed, Fate::Uncertain] {
        let (next, actions) = step(&two, at(0), Event::Settled { step: 0, fate });
        assert_eq!((next, actions), (at(1), vec![Action::Send { step: 1 }]), "{fate:?}");
    }
}

/// Definitions of up to nine steps in any order of visiting.
fn definitions() -> impl Strategy<Value = Definition> {
    (1..10_usize).prop_flat_map(|count| Just((1..count).collect::<Vec<_>>()).prop_shuffle()).prop_map(|rest| {
        let mut then = vec![None; rest.len() + 1];
        let mut from = 0;
        for step in rest {
            then[from] = Some(step);
            from = step;
        }
        definition(&then)
    })
}

fn events(most_steps: usize) -> impl Strategy<Value = Vec<Event>> {
    let fate = prop_oneof![Just(Fate::Sent), Just(Fate::Skipped), Just(Fate::Failed), Just(Fate::Uncertain)];
    let settled = (0..most_steps, fate).prop_map(|(step, fate)| Event::Settled { step, fate });
    prop::collection::vec(prop_oneof![1 => Just(Event::Entered), 1 => Just(Event::HeldOut), 8 => settled], 0..60)
}

fn play(definition: &Definition, events: &[Event]) -> (JourneyState, Vec<Action>) {
    let mut state = OUTSIDE;
    let mut actions = Vec::new();
    for event in events {
        let (next, new) = step(definition, state, *event);
        state = next;
        actions.extend(new);
    }
    (state, actions)
}

proptest! {
    #[test]
    fn every_journey_ends_after_as_many_messages_as_there_are_steps(definition in definitions()) {
        let (mut state, mut actions) = step(&definition, OUTSIDE, Event::Entered);
        for _ in 0..definition.steps.len() {
            let JourneyState::At(at) = state else { panic!("{state:?} came too early") };
            let (next, new) = step(&definition, state, settled(at));
            state = next;
            actions.extend(new);
        }
        prop_assert_eq!(state, COMPLETED);
        prop_assert_eq!(actions.len(), definition.steps.len());
    }

    #[test]
    fn no_step_is_sent_twice_whatever_happens(definition in definitions(), events in events(10)) {
        let (_, actions) = play(&definition, &events);
        for (index, action) in actions.iter().enumerate() {
            prop_assert!(!actions[..index].contains(action), "{:?} twice", action);
        }
    }

    #[test]
    fn a_report_that_comes_twice_changes_nothing(definition in definitions(), events in events(10)) {
        let twice: Vec<Event> = events.iter().flat_map(|event| [*event, *event]).collect();
        prop_assert_eq!(play(&definition, &twice), play(&definition, &events));
    }

    #[test]
    fn the_control_group_is_never_written_to(definition in definitions(), events in events(10)) {
        let held_out: Vec<Event> = [Event::HeldOut].into_iter().chain(events).collect();
        prop_assert_eq!(play(&definition, &held_out), (CONTROL, vec![Action::HoldOut { step: 0 }]));
    }
}
