//! Models of leavers from end to end: on the customers of a telephone company, and on input that is no good.

use muster_score::Error;
use muster_score::binning::{Characteristic, UNKNOWN, Values};
use muster_score::boosted::{self, Boosted};
use muster_score::classifier::Classifier;
use muster_score::model::{LearnerSettings, Model, Settings};
use muster_score::quality::{Quality, quality};
use muster_testkit::real_data;

const LOGISTIC: LearnerSettings = LearnerSettings::Logistic(1.0);

fn boosted() -> LearnerSettings {
    LearnerSettings::Boosted(boosted::Settings::default())
}

fn settings(learner: LearnerSettings) -> Settings {
    Settings { learner, ..Settings::default() }
}

/// A column of a file, as numbers where all of its values are, else as codes of texts.
enum Column {
    Numbers(Vec<f64>),
    Categories { codes: Vec<u32>, texts: Vec<String> },
}

/// Customers, and who of them left.
struct Customers {
    columns: Vec<(String, Column)>,
    is_leaver: Vec<bool>,
}

impl Customers {
    /// The file has no quotes: a comma is always the end of a value.
    fn read() -> Option<Self> {
        let path = real_data("churn")?.join("Telco-Customer-Churn.csv");
        let text = std::fs::read_to_string(path).expect("the file can be read");
        let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let names = lines.next().expect("the file has a header");
        let rows: Vec<Vec<&str>> = lines.collect();
        let column = |place: usize| rows.iter().map(|row| row[place].trim()).collect::<Vec<_>>();
        let last = names.len() - 1;
        let columns = (1..last).map(|place| (names[place].to_owned(), Column::of(&column(place)))).collect();
        Some(Self { columns, is_leaver: column(last).iter().map(|value| *value == "Yes").collect() })
    }

    /// The customers of these rows only.
    fn only(&self, rows: &[usize]) -> Self {
        let columns = self.columns.iter().map(|(name, column)| (name.clone(), column.only(rows))).collect();
        Self { columns, is_leaver: rows.iter().map(|row| self.is_leaver[*row]).collect() }
    }

    /// Hands the characteristics to `with`.
    fn characteristics<T>(&self, with: impl FnOnce(&[Characteristic<'_>]) -> T) -> T {
        let texts: Vec<Vec<&str>> = self.columns.iter().map(|(_, column)| column.texts()).collect();
        let named = self.columns.iter().zip(&texts);
        with(&named.map(|((name, column), texts)| column.characteristic(name, texts)).collect::<Vec<_>>())
    }

    fn fit(&self, learner: LearnerSettings) -> Model {
        self.characteristics(|its| Model::fit(its, &self.is_leaver, settings(learner)))
            .expect("customers can be fitted")
    }

    fn calibrate(&self, model: Model) -> Model {
        self.characteristics(|its| model.calibrated(its, &self.is_leaver)).expect("customers can be calibrated")
    }

    fn log_odds(&self, model: &Model) -> Vec<f64> {
        self.characteristics(|its| model.log_odds(its, self.is_leaver.len())).expect("customers can be scored")
    }

    fn probabilities(&self, model: &Model) -> Vec<f64> {
        self.characteristics(|its| model.probabilities(its, self.is_leaver.len())).expect("customers can be scored")
    }
}

impl Column {
    /// A blank is not known.
    fn of(values: &[&str]) -> Self {
        let number = |value: &&str| if value.is_empty() { Some(f64::NAN) } else { value.parse().ok() };
        if let Some(numbers) = values.iter().map(number).collect() {
            return Self::Numbers(numbers);
        }
        let mut texts: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        texts.sort_unstable();
        texts.dedup();
        let code =
            |value: &&str| texts.binary_search_by(|text| text.as_str().cmp(value)).map_or(UNKNOWN, |code| code as u32);
        Self::Categories { codes: values.iter().map(code).collect(), texts }
    }

    fn only(&self, rows: &[usize]) -> Self {
        match self {
            Self::Numbers(values) => Self::Numbers(rows.iter().map(|row| values[*row]).collect()),
            Self::Categories { codes, texts } => {
                Self::Categories { codes: rows.iter().map(|row| codes[*row]).collect(), texts: texts.clone() }
            }
        }
    }

    fn texts(&self) -> Vec<&str> {
        match self {
            Self::Numbers(_) => Vec::new(),
            Self::Categories { texts, .. } => texts.iter().map(String::as_str).collect(),
        }
    }

    fn characteristic<'a>(&'a self, name: &'a str, texts: &'a [&'a str]) -> Characteristic<'a> {
        let values = match self {
            Self::Numbers(values) => Values::Numbers(values),
            Self::Categories { codes, .. } => Values::Categories { codes, texts },
        };
        Characteristic { name, values }
    }
}

/// The rows in an order that a seed draws, the same in every run.
fn shuffled(rows: usize, seed: u64) -> Vec<usize> {
    let place = |row: &usize| {
        let mixed = (*row as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(seed << 32 | seed);
        let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    };
    let mut order: Vec<usize> = (0..rows).collect();
    order.sort_by_key(place);
    order
}

/// Everyone scored by a model that has not seen them: fitted on three fifths and more, calibrated on others, each time
/// another fifth left out. Bins, evidence and calibration are made within, so that nothing of the fifth leaks.
fn out_of_fold(customers: &Customers, learner: LearnerSettings, seed: u64) -> Quality {
    let order = shuffled(customers.is_leaver.len(), seed);
    let (mut probabilities, mut is_leaver) = (Vec::new(), Vec::new());
    for fold in 0..5 {
        let within =
            |is_test: bool| order.iter().copied().enumerate().filter(move |(place, _)| (place % 5 == fold) == is_test);
        let test: Vec<usize> = within(true).map(|(_, row)| row).collect();
        let (held_out, training): (Vec<_>, Vec<_>) = within(false).partition(|(place, _)| place / 5 % 8 == 0);
        let rows = |placed: Vec<(usize, usize)>| placed.into_iter().map(|(_, row)| row).collect::<Vec<_>>();
        let model = customers.only(&rows(training)).fit(learner);
        let model = customers.only(&rows(held_out)).calibrate(model);
        let test = customers.only(&test);
        probabilities.extend(test.probabilities(&model));
        is_leaver.extend(test.is_leaver);
    }
    quality(&probabilities, &is_leaver).expect("some left and some stayed")
}

/// The figures that are known to be honest for these customers: 0.84 to 0.85.
#[test]
fn leavers_of_a_telephone_company_are_told_apart_as_well_as_is_honest() {
    let Some(customers) = Customers::read() else { return };
    assert_eq!(customers.is_leaver.len(), 7043);
    assert_eq!(customers.is_leaver.iter().filter(|is_leaver| **is_leaver).count(), 1869);
    for (name, learner) in [("logistic", LOGISTIC), ("boosted", boosted())] {
        let found = out_of_fold(&customers, learner, 1);
        println!(
            "{name}: AUC {:.4} ({:.4} to {:.4}), log loss {:.4}, Brier {:.4}, calibration error {:.4}, first lift {:.2}",
            found.auc.estimate,
            found.auc.low,
            found.auc.high,
            found.log_loss,
            found.brier,
            found.calibration_error,
            found.deciles[0].lift,
        );
        assert!((0.84..0.85).contains(&found.auc.estimate), "{name}: {}", found.auc.estimate);
        assert!(found.calibration_error < 0.03, "{name}: {}", found.calibration_error);
        assert!(found.log_loss < 0.425, "{name}: {}", found.log_loss);
    }
}

/// The control of the figures above: with labels that belong to others, nothing is found, so nothing leaks.
#[test]
fn labels_of_other_customers_cannot_be_told() {
    let Some(mut customers) = Customers::read() else { return };
    let order = shuffled(customers.is_leaver.len(), 7);
    customers.is_leaver = order.iter().map(|row| customers.is_leaver[*row]).collect();
    let found = out_of_fold(&customers, LOGISTIC, 1);
    assert!((found.auc.estimate - 0.5).abs() < 0.03, "{}", found.auc.estimate);
}

#[test]
fn blanks_of_total_charges_are_a_bin_of_their_own() {
    let Some(customers) = Customers::read() else { return };
    let (_, total) = customers.columns.iter().find(|(name, _)| name == "TotalCharges").unwrap();
    let Column::Numbers(total) = total else { panic!("total charges are numbers") };
    assert_eq!(total.iter().filter(|total| total.is_nan()).count(), 11);
    let model = customers.fit(LOGISTIC);
    let weighed = model.characteristics.iter().find(|weighed| weighed.name == "TotalCharges").unwrap();
    // None of the eleven left: their evidence is below that of all others.
    let (unknown, known) = weighed.weights.split_last().unwrap();
    assert!(known.iter().all(|weight| unknown < weight), "{weighed:?}");
}

#[test]
fn a_model_that_was_written_and_read_gives_the_same_scores_to_the_bit() {
    let Some(customers) = Customers::read() else { return };
    let some = customers.only(&shuffled(7043, 3)[..2000]);
    let subsampled = boosted::Settings { row_share: 0.7, seed: 5, trees: 40, ..boosted::Settings::default() };
    for learner in [LOGISTIC, boosted(), LearnerSettings::Boosted(subsampled)] {
        let model = customers.calibrate(some.fit(learner));
        let text = model.to_json().unwrap();
        let read = Model::from_json(&text).unwrap();
        let bits = |model: &Model| customers.log_odds(model).iter().map(|score| score.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&model), bits(&read));
        assert_eq!(read.to_json().unwrap(), text);
        assert!(text.contains("\"up_to\"") && text.contains("Fiber optic"), "a person can read it");
    }
}

#[test]
fn models_are_the_same_to_the_byte_with_one_thread_and_with_two() {
    let Some(customers) = Customers::read() else { return };
    let subsampled = boosted::Settings { row_share: 0.7, seed: 5, trees: 40, ..boosted::Settings::default() };
    for learner in [LOGISTIC, boosted(), LearnerSettings::Boosted(subsampled)] {
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let model = customers.fit(learner);
                (
                    model.to_json().unwrap(),
                    customers.log_odds(&model).iter().map(|score| score.to_bits()).collect::<Vec<_>>(),
                )
            })
        };
        let one = with(1);
        assert!(one == with(2), "the model depends on the threads");
        assert!(one == with(1), "the model depends on the run");
    }
}

#[test]
fn contributions_add_up_to_the_score() {
    let Some(customers) = Customers::read() else { return };
    let some = customers.only(&shuffled(7043, 3)[..1000]);
    for learner in [LOGISTIC, boosted()] {
        let model = some.calibrate(customers.fit(learner));
        let log_odds = some.log_odds(&model);
        let parts = some.characteristics(|its| model.contributions(its, 1000)).unwrap();
        assert_eq!(parts.columns.len(), 19);
        for (row, log_odds) in log_odds.iter().enumerate() {
            let sum = parts.base + parts.columns.iter().map(|column| column[row]).sum::<f64>();
            assert!((sum - log_odds).abs() < 1e-9, "{sum} is not {log_odds}");
        }
    }
}

#[test]
fn constant_unknown_infinite_and_separating_characteristics_end_with_finite_scores() {
    let rows = 200;
    let is_leaver: Vec<bool> = (0..rows).map(|row| row % 4 == 0).collect();
    let separating: Vec<f64> = is_leaver.iter().map(|leaves| if *leaves { 1e308 } else { -1e308 }).collect();
    let wild: Vec<f64> =
        (0..rows).map(|row| [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.5, -0.0][row % 5] * (row as f64)).collect();
    let number = |name, values| Characteristic { name, values: Values::Numbers(values) };
    let unknown = Values::Categories { codes: &[UNKNOWN; 200], texts: &[] };
    let hostile = [
        number("constant", &[7.0; 200]),
        number("unknown", &[f64::NAN; 200]),
        number("separating", &separating),
        number("wild", &wild),
        Characteristic { name: "no category", values: unknown },
    ];
    for learner in [LOGISTIC, boosted()] {
        for some in [&hostile[..], &hostile[..2], &[]] {
            let model = Model::fit(some, &is_leaver, settings(learner)).unwrap().calibrated(some, &is_leaver).unwrap();
            let scores = model.log_odds(some, rows).unwrap();
            assert!(scores.iter().all(|score| score.is_finite()));
            let parts = model.contributions(some, rows).unwrap();
            assert!(parts.base.is_finite() && parts.columns.iter().flatten().all(|part| part.is_finite()));
            let read = Model::from_json(&model.to_json().unwrap()).unwrap();
            assert_eq!(read.log_odds(some, rows).unwrap(), scores);
        }
    }
}

#[test]
fn fewer_leavers_than_bins_two_rows_and_one_kind_have_a_clear_outcome() {
    let age: Vec<f64> = (0..50).map(f64::from).collect();
    let one_leaver: Vec<bool> = (0..50).map(|row| row == 30).collect();
    let its = [Characteristic { name: "age", values: Values::Numbers(&age) }];
    let pair = [Characteristic { name: "age", values: Values::Numbers(&age[..2]) }];
    for learner in [LOGISTIC, boosted()] {
        let model = Model::fit(&its, &one_leaver, settings(learner)).unwrap();
        assert!(model.log_odds(&its, 50).unwrap().iter().all(|score| score.is_finite()));
        let model = Model::fit(&pair, &[true, false], settings(learner)).unwrap();
        assert!(model.log_odds(&pair, 2).unwrap().iter().all(|score| score.is_finite()));
        for is_leaver in [[true; 50], [false; 50]] {
            assert!(matches!(Model::fit(&its, &is_leaver, settings(learner)), Err(Error::OneClass { .. })));
        }
        assert!(matches!(Model::fit(&[], &[], settings(learner)), Err(Error::OneClass { .. })));
        assert!(matches!(Model::fit(&its, &[true, false], settings(learner)), Err(Error::Lengths { .. })));
    }
}

#[test]
fn settings_of_trees_without_a_meaning_are_refused() {
    let standard = boosted::Settings::default();
    let wrong = [
        boosted::Settings { learning_rate: f64::NAN, ..standard },
        boosted::Settings { learning_rate: 0.0, ..standard },
        boosted::Settings { depth: 0, ..standard },
        boosted::Settings { depth: 13, ..standard },
        boosted::Settings { minimum_leaf_weight: -1.0, ..standard },
        boosted::Settings { penalty: f64::INFINITY, ..standard },
        boosted::Settings { row_share: 0.0, ..standard },
        boosted::Settings { row_share: 1.5, ..standard },
    ];
    for settings in wrong {
        assert!(matches!(Boosted::fit(&[&[1.0, 2.0]], &[true, false], &settings), Err(Error::Setting { .. })));
    }
    let none =
        Boosted::fit(&[&[1.0, 2.0, 3.0]], &[true, false, false], &boosted::Settings { trees: 0, ..standard }).unwrap();
    assert_eq!(none.log_odds(&[&[9.0]], 1).unwrap(), [0.5_f64.ln()]);
}

#[test]
fn texts_of_other_versions_and_texts_that_were_changed_are_refused() {
    let age: Vec<f64> = (0..400).map(f64::from).collect();
    let is_leaver: Vec<bool> = (0..400).map(|row| row * 7 % 11 < 4 || row > 300).collect();
    let its = [Characteristic { name: "age", values: Values::Numbers(&age) }];
    for learner in [LOGISTIC, boosted()] {
        let model = Model::fit(&its, &is_leaver, settings(learner)).unwrap();
        let text = model.to_json().unwrap();
        let later = text.replacen("\"version\": 1", "\"version\": 2", 1);
        assert!(matches!(Model::from_json(&later), Err(Error::ModelVersion { expected: 1, found: 2 })));
        assert!(matches!(Model::from_json("{"), Err(Error::ModelText(_))));
        assert!(matches!(Model::from_json("{\"version\": 1}"), Err(Error::ModelText(_))));
        let more_bins = text.replacen("\"up_to\": [", "\"up_to\": [-1.0,", 1);
        assert!(matches!(Model::from_json(&more_bins), Err(Error::ModelParts { .. })));
        let other = Characteristic { name: "age", values: Values::Categories { codes: &[0], texts: &["a"] } };
        assert!(matches!(model.log_odds(&[other], 1), Err(Error::Kind { .. })));
        assert!(matches!(model.log_odds(&[], 1), Err(Error::Lengths { .. })));
    }
    let trees = Model::fit(&its, &is_leaver, settings(boosted())).unwrap().to_json().unwrap();
    let circular = trees.replacen("\"left_child\": 1,", "\"left_child\": 0,", 1);
    assert_ne!(circular, trees);
    assert!(matches!(Model::from_json(&circular), Err(Error::ModelParts { .. })));
}
