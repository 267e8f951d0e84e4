//! Whatever a file holds, every row has one fate, and neither the size of pieces nor the number of threads shows.

#[cfg(test)]
mod tests {
    use std::fs;

    use arrow_array::RecordBatch;
    use arrow_select::concat::concat_batches;
    use muster_catalog::{Catalog, parse};
    use proptest::prelude::*;
    use tempfile::TempDir;

    use crate::Intake;
    use crate::error::Error;
    use crate::expand_sources;
    use crate::feed::Sizes;
    use crate::load::read_in;
    use crate::report::Report;

    const HEADER: &[u8] = b"id,text,number,status\n";
    const LENIENT: &str = "short_rows = \"pad\"\nstray_quotes = \"keep\"\ndamaged = \"replace\"\n";
    const FLAT: &str = "one_row_per_key = true\n";
    const BUDGET: u64 = 1 << 40;

    fn catalog(settings: &str) -> Catalog {
        let text = format!(
            "[workspace]\nname = \"shop\"\n[tables.profiles]\nsource = \"*.csv\"\nkey = \"id\"\n\
             where = \"status <> 'test' AND number >= 0\"\nerror_budget = {BUDGET}\n{settings}\
             [tables.profiles.columns]\nnumber = {{ type = \"int\"{} }}\n",
            if settings == FLAT { ", pick = \"max\"" } else { "" }
        );
        parse("muster.toml", &text).unwrap_or_else(|problems| panic!("{problems}"))
    }

    /// Rows of which some are in order, and all that a broken export puts between them.
    fn dirty() -> impl Strategy<Value = Vec<u8>> {
        let row = prop_oneof![
            4 => "[a-c][0-9]?,[a-z]{0,4},-?[0-9]{1,3},(new|test)?\n".prop_map(String::into_bytes),
            1 => "[a-c\",\r\n;é \u{200b}\u{7}]{0,12}".prop_map(String::into_bytes),
            1 => "a,\"[a\",\r\n]{0,6}\",7,new\r\n".prop_map(String::into_bytes),
            1 => prop::collection::vec(any::<u8>().prop_map(|byte| byte.max(1)), 0..6),
        ];
        prop::collection::vec(row, 0..40).prop_map(|rows| [HEADER, &rows.concat()].concat())
    }

    fn load(catalog: &Catalog, folder: &TempDir, sizes: Sizes) -> Result<(RecordBatch, Report), Error> {
        let intake = Intake { catalog, table: catalog.root(), known: &[] };
        let files = expand_sources(folder.path(), "*.csv")?;
        let load = read_in(sizes, &intake, &files, &mut ())?;
        Ok((concat_batches(&load.schema, &load.batches).unwrap(), load.report))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_row_has_one_fate_however_the_file_is_cut(
            content in dirty(),
            chunk in 1_usize..50,
            settings in prop::sample::select(vec!["", LENIENT, FLAT]),
        ) {
            let folder = TempDir::new().unwrap();
            fs::write(folder.path().join("c.csv"), &content).unwrap();
            let catalog = catalog(settings);
            let (rows, report) = load(&catalog, &folder, Sizes { chunk: 1 << 20, record: 1 << 20 }).unwrap();
            prop_assert_eq!(report.read, report.rows + report.merged + report.filtered_rows() + report.rejected_rows());
            prop_assert_eq!(report.rows, rows.num_rows() as u64);
            let cut = load(&catalog, &folder, Sizes { chunk, record: 1 << 20 }).unwrap();
            prop_assert_eq!(cut, (rows, report));
        }
    }
}
