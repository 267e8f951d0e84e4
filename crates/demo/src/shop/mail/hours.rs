//! When someone reads mail: at hours of the week that are their own.

use super::super::calendar::LocalTime;
use super::super::chance::{Chance, Weights};

/// Of what is read: what is read as soon as it comes, whatever the hour.
const AT_ONCE: f64 = 0.15;
/// Minutes after which it is then read, on average.
const AT_ONCE_MINUTES: f64 = 40.0;
/// Of what is read later: what is read at the hour that someone likes best.
const AT_THE_BEST_HOUR: f64 = 0.7;
/// Of what is read later: what is read on the first day on which they read; of the rest the same on the next, and so on.
const ON_THE_FIRST_DAY: f64 = 0.7;

/// A way to spend the week: the days, from Monday as 0, and the hours at which mail is read.
#[derive(Debug)]
struct Habit {
    share: u64,
    days: &'static [u8],
    hours: &'static [u8],
}

const WORKDAYS: &[u8] = &[0, 1, 2, 3, 4];
const EVERY_DAY: &[u8] = &[0, 1, 2, 3, 4, 5, 6];
const HABITS: [Habit; 5] = [
    // In the evening, on the sofa.
    Habit { share: 34, days: EVERY_DAY, hours: &[19, 20, 21, 22] },
    // On the way to work and back.
    Habit { share: 20, days: WORKDAYS, hours: &[7, 8, 17, 18] },
    // At a desk.
    Habit { share: 16, days: WORKDAYS, hours: &[9, 11, 12, 13, 15] },
    // Once the week is over.
    Habit { share: 15, days: &[5, 6], hours: &[9, 10, 11, 14, 16] },
    // Whenever.
    Habit { share: 15, days: EVERY_DAY, hours: &[6, 8, 10, 12, 14, 16, 18, 20, 22, 23] },
];

/// The hours of one person.
#[derive(Debug, Clone)]
pub(super) struct Hours {
    /// Position in `HABITS`.
    habit: usize,
    /// The hour of the day that they like best.
    best: u8,
}

impl Hours {
    pub(super) fn drawn(chance: &mut Chance) -> Hours {
        let habit = Weights::new(HABITS.iter().map(|habit| habit.share)).pick(chance);
        Hours { habit, best: chance.one_of(HABITS[habit].hours) }
    }

    /// When they read what came at `sent_at`; at least half a minute later, so that nobody takes them for a program.
    pub(super) fn reads_at(&self, sent_at: LocalTime, chance: &mut Chance) -> LocalTime {
        if chance.happens(AT_ONCE) {
            return LocalTime(sent_at.0 + 30 + chance.exponential(AT_ONCE_MINUTES * 60.0) as i64).awake();
        }
        let second = self.hour(chance) * 3600 + chance.below(3600) as i64;
        let mut days_left = days_of_reading(chance);
        let mut day = sent_at.day();
        loop {
            let is_later = day.at(second).0 >= sent_at.0 + 30;
            if is_later && HABITS[self.habit].days.contains(&day.weekday()) {
                if days_left == 0 {
                    return day.at(second);
                }
                days_left -= 1;
            }
            day = day.plus(1);
        }
    }

    fn hour(&self, chance: &mut Chance) -> i64 {
        let best = chance.happens(AT_THE_BEST_HOUR);
        i64::from(if best { self.best } else { chance.one_of(HABITS[self.habit].hours) })
    }
}

/// How many days of reading pass before it is read: mostly none, and a handful at most.
fn days_of_reading(chance: &mut Chance) -> u32 {
    (0..5).take_while(|_| !chance.happens(ON_THE_FIRST_DAY)).count() as u32
}

#[cfg(test)]
mod tests {
    use super::super::super::calendar::{DAY_SECONDS, Day};
    use super::*;

    /// Someone who reads at weekends lets three of them pass at most.
    const LONGEST: i64 = 22 * DAY_SECONDS;

    #[test]
    fn everyone_reads_at_hours_of_their_own_and_mostly_at_the_best_one() {
        let mut chance = Chance::of_mail(1, 0, 0);
        let sent_at = Day::of(2025, 6, 10).at(10 * 3600);
        for (habit, Habit { days, hours, .. }) in HABITS.iter().enumerate() {
            let own = Hours { habit, best: hours[0] };
            let read: Vec<LocalTime> = (0..2_000).map(|_| own.reads_at(sent_at, &mut chance)).collect();
            assert!(read.iter().all(|at| at.0 >= sent_at.0 + 30 && at.0 < sent_at.0 + LONGEST));
            let at_best = read.iter().filter(|at| at.second_of_day() / 3600 == u32::from(hours[0])).count();
            assert!((1_150..1_750).contains(&at_best), "habit {habit}: {at_best} of 2,000 at {}", hours[0]);
            let on_days = read.iter().filter(|at| days.contains(&at.day().weekday())).count();
            assert!(on_days >= 1_600, "habit {habit}: {on_days} of 2,000 on its days");
        }
    }
}
