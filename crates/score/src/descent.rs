//! Finds the lowest point of a smooth function of a few numbers, given its slope.
//!
//! Quasi-Newton steps after Broyden, Fletcher, Goldfarb and Shanno (Nocedal and Wright 2006, chapter 6). Models here have
//! three or four numbers, for which these lines do what a library of optimisers would bring ten crates for.

/// How far the logarithm of a parameter may go from where the search starts.
pub(crate) const REACH: f64 = 20.0;

/// Steps after which the search is given up.
const MOST_STEPS: usize = 500;
/// Halvings and doublings of one step.
const MOST_TRIES: usize = 60;
/// The slope at which a point counts as the lowest.
const FLAT: f64 = 1e-10;
/// The slope that is still taken for flat where rounding leaves no better step.
const NEARLY_FLAT: f64 = 1e-6;
/// What a step must gain at least, as part of what the slope promises.
const GAIN: f64 = 1e-4;
/// The part of the slope that may be left along a step.
const LEFT: f64 = 0.9;
/// Differences of values below this part of them are rounding.
const ROUNDING: f64 = 1e-14;

/// Where a search starts, and what is known of the curvature there.
#[derive(Clone, Copy)]
pub(crate) struct Start<const N: usize> {
    at: [f64; N],
    /// The inverse of the curvature, where another search has learned it.
    inverse: Option<[[f64; N]; N]>,
}

impl<const N: usize> From<[f64; N]> for Start<N> {
    fn from(at: [f64; N]) -> Self {
        Self { at, inverse: None }
    }
}

/// Where a search ended.
#[derive(Clone, Copy)]
pub(crate) struct Lowest<const N: usize> {
    pub at: [f64; N],
    pub value: f64,
    inverse: [[f64; N]; N],
}

impl<const N: usize> From<Lowest<N>> for Start<N> {
    /// The lowest point of a function that is much like another: a search there needs few steps.
    fn from(lowest: Lowest<N>) -> Self {
        Self { at: lowest.at, inverse: Some(lowest.inverse) }
    }
}

/// A point, its value and its slope.
#[derive(Clone, Copy)]
struct Point<const N: usize> {
    at: [f64; N],
    value: f64,
    slope: [f64; N],
}

/// The lowest point near `start`, or after how many steps none was found.
///
/// `function` returns value and slope; an infinite value says that a place is out of bounds. No coordinate leaves
/// `start` ± `reach`: a search that wants to has no lowest point.
pub(crate) fn lowest<const N: usize>(
    start: impl Into<Start<N>>,
    reach: f64,
    function: impl Fn(&[f64; N]) -> (f64, [f64; N]),
) -> Result<Lowest<N>, usize> {
    let evaluate = |at: [f64; N]| {
        let (value, slope) = function(&at);
        Point { at, value, slope }
    };
    let Start { at: start, inverse } = start.into();
    let mut point = evaluate(start);
    let (mut inverse, mut is_scaled) = (inverse.unwrap_or_else(identity), inverse.is_some());
    for step in 0..MOST_STEPS {
        let lowest = Lowest { at: point.at, value: point.value, inverse };
        if flatness(&point) <= FLAT {
            return Ok(lowest);
        }
        let Some(next) = along(&point, &direction(&inverse, &point.slope), evaluate) else {
            return if flatness(&point) <= NEARLY_FLAT { Ok(lowest) } else { Err(step) };
        };
        if next.at.iter().zip(start).any(|(at, start)| (at - start).abs() > reach) {
            return Err(step);
        }
        learn(&mut inverse, &point, &next, !is_scaled);
        is_scaled = true;
        point = next;
    }
    Err(MOST_STEPS)
}

fn flatness<const N: usize>(point: &Point<N>) -> f64 {
    let steepest = point.slope.iter().fold(0.0_f64, |steepest, slope| steepest.max(slope.abs()));
    if point.value.is_finite() && !point.slope.iter().any(|slope| slope.is_nan()) { steepest } else { f64::INFINITY }
}

fn direction<const N: usize>(inverse: &[[f64; N]; N], slope: &[f64; N]) -> [f64; N] {
    let down = inverse.map(|row| -dot(&row, slope));
    // Rounding can spoil what was learned; the slope itself always leads down.
    if dot(&down, slope) < 0.0 { down } else { slope.map(|slope| -slope) }
}

/// A point along `direction` that is lower and flatter, by halving and doubling (strong Wolfe conditions; gains within
/// rounding count as none, so that the slope decides near the end).
fn along<const N: usize>(
    from: &Point<N>,
    direction: &[f64; N],
    evaluate: impl Fn([f64; N]) -> Point<N>,
) -> Option<Point<N>> {
    let promised = dot(direction, &from.slope);
    let (mut low, mut high, mut length) = (0.0, f64::INFINITY, 1.0);
    for _ in 0..MOST_TRIES {
        let mut at = from.at;
        at.iter_mut().zip(direction).for_each(|(at, direction)| *at += length * direction);
        let point = evaluate(at);
        let slope = dot(direction, &point.slope);
        let allowed = from.value + GAIN * length * promised + ROUNDING * from.value.abs();
        let is_lower = point.value <= allowed && slope.is_finite();
        if !is_lower || slope > -LEFT * promised {
            high = length;
        } else if slope < LEFT * promised {
            low = length;
        } else {
            return Some(point);
        }
        length = if high.is_finite() { (low + high) / 2.0 } else { 2.0 * low };
    }
    None
}

/// Learns the curvature from how the slope changed over a step.
fn learn<const N: usize>(inverse: &mut [[f64; N]; N], from: &Point<N>, to: &Point<N>, is_unscaled: bool) {
    let step: [f64; N] = std::array::from_fn(|place| to.at[place] - from.at[place]);
    let change: [f64; N] = std::array::from_fn(|place| to.slope[place] - from.slope[place]);
    let bend = dot(&step, &change);
    if bend <= f64::EPSILON * dot(&change, &change) {
        return;
    }
    if is_unscaled {
        let scale = bend / dot(&change, &change);
        inverse.iter_mut().flatten().for_each(|cell| *cell *= scale);
    }
    let foreseen = inverse.map(|row| dot(&row, &change));
    let stretch = (1.0 + dot(&change, &foreseen) / bend) / bend;
    for row in 0..N {
        for column in 0..N {
            inverse[row][column] += stretch * step[row] * step[column]
                - (foreseen[row] * step[column] + step[row] * foreseen[column]) / bend;
        }
    }
}

fn identity<const N: usize>() -> [[f64; N]; N] {
    std::array::from_fn(|row| std::array::from_fn(|column| f64::from(u8::from(row == column))))
}

fn dot<const N: usize>(one: &[f64; N], other: &[f64; N]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

#[cfg(test)]
mod tests {
    use super::lowest;

    #[test]
    fn the_bottom_of_a_curved_valley_is_found() {
        let valley = |at: &[f64; 2]| {
            let (x, y) = (at[0], at[1]);
            let value = (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2);
            (value, [-2.0 * (1.0 - x) - 400.0 * x * (y - x * x), 200.0 * (y - x * x)])
        };
        let point = lowest([-1.2, 1.0], 10.0, valley).expect("the valley has a bottom");
        assert!(point.at.iter().all(|at| (at - 1.0).abs() < 1e-9), "{:?}", point.at);
    }

    #[test]
    fn a_slope_without_end_has_no_bottom() {
        assert!(lowest([0.0], 30.0, |at: &[f64; 1]| (-at[0], [-1.0])).is_err());
    }
}
