//! Parquet from strangers: rows 50 to 52 and 57 of the list of bad inputs, and the types that others write.

use std::panic;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::types::{Float16Type, Int32Type};
use arrow_array::{
    ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray,
    Float16Array, Float64Array, Int64Array, LargeStringArray, RecordBatch, StringArray, StructArray,
    TimestampNanosecondArray, TimestampSecondArray, UInt32Array, UInt64Array,
};
use muster_ingest::{Damage, Error, ParquetFault, is_guarded};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, Encoding};
use parquet::data_type::{ByteArray, ByteArrayType, Int96, Int96Type};
use parquet::file::metadata::{
    ColumnChunkMetaDataBuilder, ParquetMetaData, ParquetMetaDataReader, ParquetMetaDataWriter, RowGroupMetaDataBuilder,
};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use tempfile::NamedTempFile;

use crate::world::{World, assert_adds_up, column, lines, types};

const TABLE: &str = "[tables.profiles]\nsource = \"c.parquet\"\nkey = \"id\"\n";

/// Pages as they are, and nothing between the last of them and the footer.
fn bare() -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
}

/// The bytes of a file with these columns, of which a column without gaps is required.
fn parquet(columns: Vec<(&str, ArrayRef)>, properties: WriterPropertiesBuilder) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build())).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn ids(count: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter_values((0..count).map(|id| format!("customer {id}"))))
}

fn world(content: impl AsRef<[u8]>) -> World {
    World::new(TABLE).file("c.parquet", content)
}

#[track_caller]
fn fault(content: impl AsRef<[u8]>) -> ParquetFault {
    match world(content).failure("profiles") {
        Error::Damaged { damage: Damage::Parquet(fault), .. } => fault,
        other => panic!("the file must be damaged, but {other}"),
    }
}

#[track_caller]
fn damaged(content: impl AsRef<[u8]>, message: &str) {
    assert_eq!(fault(content).to_string(), message);
}

/// The same file with another word on what is in it.
fn declaring(whole: &[u8], change: impl Fn(ParquetMetaData) -> ParquetMetaData) -> Vec<u8> {
    let mut file = NamedTempFile::new().unwrap();
    std::io::Write::write_all(&mut file, whole).unwrap();
    let metadata = ParquetMetaDataReader::new().parse_and_finish(file.as_file()).unwrap();
    let footer = u32::from_le_bytes(whole[whole.len() - 8..whole.len() - 4].try_into().unwrap()) as usize;
    let mut bytes = whole[..whole.len() - 8 - footer].to_vec();
    let mut end = Vec::new();
    ParquetMetaDataWriter::new(&mut end, &change(metadata)).finish().unwrap();
    bytes.extend(end);
    bytes
}

fn with_group(
    metadata: ParquetMetaData,
    change: impl Fn(RowGroupMetaDataBuilder) -> RowGroupMetaDataBuilder,
) -> ParquetMetaData {
    let mut builder = metadata.into_builder();
    let groups = builder.take_row_groups();
    let groups = groups.into_iter().map(|group| change(group.into_builder()).build().unwrap());
    builder.set_row_groups(groups.collect()).build()
}

fn with_columns(
    metadata: ParquetMetaData,
    change: impl Fn(ColumnChunkMetaDataBuilder) -> ColumnChunkMetaDataBuilder,
) -> ParquetMetaData {
    with_group(metadata, |mut group| {
        let columns = group.take_columns().into_iter();
        group.set_column_metadata(columns.map(|column| change(column.into_builder()).build().unwrap()).collect())
    })
}

/// A file of nothing but a footer.
fn footer(body: &[u8]) -> Vec<u8> {
    [b"PAR1", body, &u32::try_from(body.len()).unwrap().to_le_bytes(), b"PAR1"].concat()
}

#[test]
fn row_50_a_file_that_is_cut_off_or_marked_otherwise_is_an_error() {
    let whole = parquet(vec![("id", ids(20))], bare());
    assert_eq!(world(&whole).load("profiles").report.read, 20);
    damaged(&whole[..whole.len() - 1], "damaged Parquet: it does not end with the mark PAR1; is it cut off?");
    damaged(&whole[..whole.len() / 2], "damaged Parquet: it does not end with the mark PAR1; is it cut off?");
    damaged(b"PAR1", "damaged Parquet: it does not end with the mark PAR1; is it cut off?");
    let mut encrypted = whole.clone();
    let length = encrypted.len();
    encrypted[length - 1] = b'E';
    damaged(&encrypted, "encrypted Parquet cannot be read");
}

#[test]
fn row_50_lengths_past_the_end_are_an_error_with_their_place() {
    let whole = parquet(vec![("id", ids(20))], bare());
    let mut longer = whole.clone();
    let length = longer.len();
    longer[length - 6] = 0xff;
    assert!(matches!(fault(&longer), ParquetFault::FooterTooLong { .. }));
    let mut shorter = whole.clone();
    shorter[length - 8] -= 3;
    assert!(matches!(fault(&shorter), ParquetFault::Footer { .. } | ParquetFault::Unreadable(_)));
    let far = declaring(&whole, |metadata| with_columns(metadata, |column| column.set_total_compressed_size(1 << 40)));
    damaged(far, "damaged Parquet: column `id` of row group 1 reaches past the end of the file");
    let negative = declaring(&whole, |metadata| with_columns(metadata, |column| column.set_data_page_offset(-4)));
    damaged(negative, "damaged Parquet: column `id` of row group 1 has a negative place, size or count");
}

#[test]
fn row_50_whatever_single_bytes_say_the_answer_is_a_load_or_an_error() {
    let weights: ArrayRef =
        Arc::new(Float64Array::from_iter((0..60).map(|row| (row % 3 > 0).then_some(f64::from(row)))));
    let split = bare().set_dictionary_enabled(false).set_column_encoding("weight".into(), Encoding::BYTE_STREAM_SPLIT);
    let delta = split.clone().set_column_encoding("id".into(), Encoding::DELTA_BYTE_ARRAY);
    let newer = bare().set_writer_version(WriterVersion::PARQUET_2_0).set_compression(Compression::SNAPPY);
    for properties in [bare(), split, delta, newer] {
        let whole = parquet(vec![("id", ids(60)), ("weight", weights.clone())], properties);
        assert_eq!(world(&whole).load("profiles").report.rows, 60);
        for at in (4..whole.len()).step_by(11) {
            let mut flipped = whole.clone();
            flipped[at] ^= 0xff;
            let (load, _) = world(flipped).load_watched("profiles");
            // A load that claims success has every row, kept or rejected.
            assert!(load.is_err() || load.is_ok_and(|load| load.report.read == 60), "byte {at}");
        }
    }
}

/// Which of sixty rows have a value, if every third has none: a bit a row, and no bits in the last half of a byte.
const LEVELS: [u8; 8] = [0xb6, 0x6d, 0xdb, 0xb6, 0x6d, 0xdb, 0xb6, 0x0d];

/// Forty values of eight bytes in split streams, of which every count says that they are sixty. Where there are gaps,
/// there are forty values among sixty rows, and the levels say that there is no gap.
fn overcounted(gaps: bool) -> Vec<u8> {
    let rows = if gaps { 60 } else { 40 };
    let value = |row: i32| (!gaps || row % 3 > 0).then_some(f64::from(row));
    let weights: ArrayRef = if gaps {
        Arc::new(Float64Array::from_iter((0..rows).map(value)))
    } else {
        Arc::new(Float64Array::from_iter_values((0..rows).map(f64::from)))
    };
    let split = bare().set_dictionary_enabled(false).set_column_encoding("weight".into(), Encoding::BYTE_STREAM_SPLIT);
    let mut bytes = parquet(vec![("weight", weights)], split);
    if gaps {
        let levels = bytes.windows(8).position(|window| window == LEVELS).unwrap();
        bytes[levels..levels + 8].fill(0xff);
        return bytes;
    }
    // Counts are written as zigzag numbers: 80 for forty, 120 for sixty.
    let header = bytes.windows(3).position(|window| window == [0x2c, 0x15, 80]).unwrap();
    bytes[header + 2] = 120;
    for at in 0..bytes.len() - 1 {
        if bytes[at..at + 2] == [0x16, 80] {
            bytes[at + 1] = 120;
        }
    }
    bytes
}

const WEIGHTS: &str = "[tables.profiles]\nsource = \"c.parquet\"\nkey = \"weight\"\n";

#[test]
fn row_51_a_page_that_counts_more_values_than_its_bytes_hold_is_named() {
    for (gaps, place) in [
        (false, "the page at byte 5, column `weight` of row group 1,"),
        (true, "page 1 of column `weight` of row group 1"),
    ] {
        let error = World::new(WEIGHTS).file("c.parquet", overcounted(gaps)).failure("profiles").to_string();
        assert_eq!(error, format!("c.parquet: damaged Parquet: {place} counts more values than its bytes hold"));
    }
}

#[test]
fn row_51_arrow_by_itself_does_not_read_such_a_page() {
    for gaps in [false, true] {
        let mut file = NamedTempFile::new().unwrap();
        std::io::Write::write_all(&mut file, &overcounted(gaps)).unwrap();
        let batches = ParquetRecordBatchReaderBuilder::try_new(file.into_file()).unwrap().build().unwrap();
        let read = std::thread::spawn(move || batches.map(Result::unwrap).map(|batch| batch.num_rows()).sum::<usize>());
        assert!(read.join().is_err());
    }
}

/// Whole numbers, and in the footer what Arrow's own writer adds: their types in Arrow's words. Every file here has one
/// letter of these words changed.
fn misspelt() -> impl Iterator<Item = Vec<u8>> {
    const NAME: &[u8] = b"ARROW:schema";
    let whole = parquet(vec![("id", Arc::new(Int64Array::from_iter_values(0..40)))], bare());
    let words = whole.windows(NAME.len()).position(|window| window == NAME).unwrap() + NAME.len() + 4;
    let letters =
        whole[words..].iter().take_while(|letter| letter.is_ascii_alphanumeric() || b"+/=".contains(letter)).count();
    assert!(letters > 100);
    (words..words + letters).map(move |letter| {
        let mut changed = whole.clone();
        changed[letter] = if changed[letter] == b'H' { b'A' } else { b'H' };
        changed
    })
}

/// Counts the panics of guarded readers, and prints the others.
fn count_guarded_panics() -> &'static AtomicUsize {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if is_guarded() {
            COUNT.fetch_add(1, Ordering::Relaxed);
        } else {
            print(panic);
        }
    }));
    &COUNT
}

#[test]
fn row_51_a_panic_of_the_reader_is_a_damaged_file_and_known_as_such_to_the_process() {
    let panics = count_guarded_panics();
    let is_panic = |file: &Vec<u8>| {
        let failed = world(file).load_watched("profiles").0.err();
        failed.is_some_and(|error| error.to_string() == "c.parquet: damaged Parquet: its pages contradict themselves")
    };
    assert!(misspelt().any(|file| is_panic(&file)), "if Arrow does not panic any more, nothing here shows the guard");
    assert!(panics.load(Ordering::Relaxed) > 0 && !is_guarded());
}

/// What a test of this module prints on stderr when it runs alone.
fn printed_by(test: &str) -> String {
    let mut alone = Command::new(std::env::current_exe().unwrap());
    alone.args([&format!("foreign::{test}"), "--exact", "--nocapture"]).env("RUST_BACKTRACE", "0");
    let output = alone.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn row_51_a_page_that_overcounts_prints_nothing() {
    let quiet = printed_by("row_51_a_page_that_counts_more_values_than_its_bytes_hold_is_named");
    assert!(!quiet.contains("panicked"), "{quiet}");
}

/// The beginning of a footer: version 1, and a schema of a root with `children`.
fn schema_of(nodes: &[&[u8]]) -> Vec<u8> {
    assert!(nodes.len() < 128);
    let count = [0x19, 0xfc, u8::try_from(nodes.len()).unwrap()];
    [&[0x15, 2], &count[..], &nodes.concat()].concat()
}

/// A group with one child, and a column of whole numbers.
const GROUP: &[u8] = &[0x48, 1, b'g', 0x15, 2, 0];
const LEAF: &[u8] = &[0x15, 2, 0x25, 0, 0x18, 1, b'a', 0];

#[test]
fn row_52_a_million_row_groups_are_refused_before_they_are_read() {
    let groups = |count: u32| {
        // A count of 2^14 or more takes three bytes.
        let [a, b, c] =
            [count & 0x7f | 0x80, count >> 7 & 0x7f | 0x80, count >> 14].map(|part| u8::try_from(part).unwrap());
        let rows = [&[0x16, 0, 0x19, 0xfc, a, b, c][..], &vec![0; count as usize], &[0]].concat();
        footer(&[schema_of(&[GROUP, LEAF]), rows].concat())
    };
    damaged(groups(1_000_000), "it declares 1000000 row groups; at most 32768 are read");
    damaged(groups(32_769), "it declares 32769 row groups; at most 32768 are read");
    assert!(matches!(fault(groups(32_768)), ParquetFault::Unreadable(_)), "these are empty, but not too many");
}

#[test]
fn row_52_a_list_that_is_longer_than_the_file_is_refused_where_it_stands() {
    let endless = [schema_of(&[GROUP, LEAF]), vec![0x16, 0, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0, 0]].concat();
    let place = 4 + endless.len() - 2;
    damaged(footer(&endless), &format!("damaged Parquet: its footer makes no sense at byte {}", place + 1));
}

#[test]
fn row_52_columns_deep_in_one_another_are_refused() {
    let nested = |groups: usize| {
        let nodes: Vec<&[u8]> = std::iter::repeat_n(GROUP, groups).chain([LEAF]).collect();
        footer(&[schema_of(&nodes), vec![0x16, 0, 0x19, 0x0c, 0]].concat())
    };
    damaged(nested(33), "it declares 33 columns in one another; at most 32 are read");
    assert!(!matches!(fault(nested(32)), ParquetFault::TooMuch { .. }));
}

#[test]
fn row_52_huge_declared_sizes_are_refused() {
    let whole = parquet(vec![("id", ids(20))], bare());
    let rows = declaring(&whole, |metadata| with_group(metadata, |group| group.set_num_rows((1 << 26) + 1)));
    damaged(rows, "it declares 67108865 rows in one row group; at most 67108864 are read");
    let size =
        declaring(&whole, |metadata| with_columns(metadata, |column| column.set_total_uncompressed_size(1 << 50)));
    damaged(size, "it declares 1125899906842624 bytes in one column; at most 17179869184 are read");
    let same = declaring(&whole, |metadata| metadata);
    assert_eq!(world(same).load("profiles").report.rows, 20);
}

#[test]
fn row_52_a_group_with_fewer_rows_than_it_says_is_damaged() {
    let whole = parquet(vec![("id", ids(20))], bare());
    let more = declaring(&whole, |metadata| with_group(metadata, |group| group.set_num_rows(21)));
    damaged(more, "damaged Parquet: its pages contradict themselves");
}

/// `text` instead of what stands there, of the same length.
fn replaced(mut whole: Vec<u8>, there: &[u8], text: &[u8]) -> Vec<u8> {
    assert_eq!(there.len(), text.len());
    let at = whole.windows(there.len()).position(|window| window == there).unwrap();
    whole[at..at + text.len()].copy_from_slice(text);
    whole
}

#[test]
fn row_57_bytes_that_are_no_utf_8_cost_their_rows_and_no_others() {
    let names: ArrayRef =
        Arc::new(StringArray::from(vec![Some("Ann"), Some("Ren\u{e9}"), None, Some("Bob"), Some("Ren\u{e9}")]));
    let stamps: ArrayRef = Arc::new(TimestampSecondArray::from(vec![1_751_284_800; 5]));
    for is_dictionary in [false, true] {
        let properties = bare().set_dictionary_enabled(is_dictionary).set_max_row_group_row_count(Some(4));
        let columns = vec![("id", ids(5)), ("name", names.clone()), ("at", stamps.clone())];
        let whole = parquet(columns, properties);
        assert_eq!(world(&whole).load("profiles").report.rows, 5);
        let bad = replaced(whole, "Ren\u{e9}".as_bytes(), b"Ren\xe9!");
        let (load, heard) = world(bad).load_watched("profiles");
        let load = load.unwrap();
        assert_adds_up(&load);
        assert_eq!(column(&load, "id"), ["customer 0", "customer 2", "customer 3", "customer 4"]);
        assert_eq!(column(&load, "name"), ["Ann", "", "Bob", "Ren\u{e9}"]);
        assert_eq!(column(&load, "at"), ["2025-06-30T10:00:00Z"; 4]);
        assert_eq!(lines(&heard), ["c.parquet line 2, name: \"Ren\u{fffd}!\" is not UTF-8 at byte 4 of the field"]);
    }
}

#[test]
fn row_57_a_member_of_a_list_that_is_no_utf_8_costs_its_row() {
    let mut tags = ListBuilder::new(StringBuilder::new());
    tags.append_value([Some("a"), Some("b")]);
    tags.append_value([None::<&str>; 0]);
    tags.append_value([Some("c"), Some("caf\u{e9}")]);
    tags.append_null();
    let whole = parquet(vec![("id", ids(4)), ("tags", Arc::new(tags.finish()))], bare());
    assert_eq!(column(&world(&whole).load("profiles"), "tags"), ["[a, b]", "[]", "[c, caf\u{e9}]", ""]);
    let (load, heard) = world(replaced(whole, "caf\u{e9}".as_bytes(), b"caf\xe9!")).load_watched("profiles");
    assert_eq!(column(&load.unwrap(), "tags"), ["[a, b]", "[]", ""]);
    assert_eq!(lines(&heard), ["c.parquet line 3, tags: \"caf\u{fffd}!\" is not UTF-8 at byte 4 of the field"]);
}

#[test]
fn every_type_that_others_write_becomes_one_of_ours() {
    let half = <Float16Type as ArrowPrimitiveType>::Native::from_f32(0.5);
    let mut tags = ListBuilder::new(StringBuilder::new());
    tags.append_value([Some("b"), Some("a")]);
    let words: DictionaryArray<Int32Type> = vec!["Ann"].into_iter().collect();
    let instants = TimestampNanosecondArray::from(vec![1_751_284_800_000_000_123]).with_timezone("Asia/Tokyo");
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from(vec![7]))),
        ("word", Arc::new(words)),
        ("large", Arc::new(LargeStringArray::from(vec!["text"]))),
        ("local", Arc::new(TimestampSecondArray::from(vec![1_751_284_800]))),
        ("instant", Arc::new(instants)),
        ("day", Arc::new(Date32Array::from(vec![20_269]))),
        ("paid", Arc::new(Decimal128Array::from(vec![150]).with_precision_and_scale(30, 2).unwrap())),
        ("ok", Arc::new(BooleanArray::from(vec![true]))),
        ("small", Arc::new(UInt32Array::from(vec![u32::MAX]))),
        ("huge", Arc::new(UInt64Array::from(vec![u64::MAX]))),
        ("half", Arc::new(Float16Array::from(vec![half]))),
        ("tags", Arc::new(tags.finish())),
    ];
    let load = world(parquet(columns, WriterProperties::builder())).load("profiles");
    let expected = [
        ("id id", "7"),
        ("word text", "Ann"),
        ("large text", "text"),
        ("local timestamp", "2025-06-30T10:00:00Z"),
        ("instant timestamp", "2025-06-30T12:00:00Z"),
        ("day date", "2025-06-30"),
        ("paid decimal(30,2)", "1.50"),
        ("ok bool", "true"),
        ("small int", "4294967295"),
        ("huge decimal(20,0)", "18446744073709551615"),
        ("half float", "0.5"),
        ("tags set", "[a, b]"),
    ];
    assert_eq!(types(&load), expected.map(|(name, _)| name));
    for (name, value) in expected {
        assert_eq!(column(&load, name.split(' ').next().unwrap()), [value], "{name}");
    }
}

/// A file with a column of instants in 96 bits, as Spark wrote them: nanoseconds of the day, and the Julian day.
fn int96(days: &[u32]) -> Vec<u8> {
    let schema = Arc::new(parse_message_type("message m { required binary id (STRING); required int96 at; }").unwrap());
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(bare().build())).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let mut ids = group.next_column().unwrap().unwrap();
    let names: Vec<ByteArray> = days.iter().map(|day| ByteArray::from(format!("c{day}").into_bytes())).collect();
    ids.typed::<ByteArrayType>().write_batch(&names, None, None).unwrap();
    ids.close().unwrap();
    let mut at = group.next_column().unwrap().unwrap();
    let noon: u64 = 43_200_000_000_000;
    let [low, high] = [noon & 0xffff_ffff, noon >> 32].map(|part| u32::try_from(part).unwrap());
    let instants: Vec<Int96> = days.iter().map(|day| Int96::from(vec![low, high, *day])).collect();
    at.typed::<Int96Type>().write_batch(&instants, None, None).unwrap();
    at.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    bytes
}

#[test]
fn instants_of_96_bits_are_read_and_those_past_2262_stay_what_they_are() {
    // 2025-06-30 and 9999-12-31.
    let (load, heard) = world(int96(&[2_460_857, 5_373_484])).load_watched("profiles");
    assert_eq!(column(&load.unwrap(), "at"), ["2025-06-30T10:00:00Z"]);
    assert_eq!(heard.len(), 1);
    assert!(heard[0].value.starts_with("9999-12-31T12:00:00"), "{}", heard[0]);
}

#[test]
fn what_no_type_takes_is_left_out_with_its_reason_and_refused_where_it_is_needed() {
    let city: ArrayRef = Arc::new(StringArray::from(vec!["Utrecht"]));
    let address = StructArray::try_from(vec![("city", city)]).unwrap();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from(vec![7]))),
        ("address", Arc::new(address)),
        ("photo", Arc::new(BinaryArray::from(vec![&b"\x89PNG"[..]]))),
    ];
    let whole = parquet(columns, bare());
    let load = world(&whole).load("profiles");
    assert_eq!(types(&load), ["id id"]);
    let ignored: Vec<&str> = load.report.ignored.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(ignored, ["address", "photo"]);
    assert!(load.report.ignored[0].1.starts_with("it holds Struct("), "{}", load.report.ignored[0].1);
    let tables = TABLE.replace("\"id\"", "\"photo\"");
    let error = World::new(&tables).file("c.parquet", whole).failure("profiles").to_string();
    assert_eq!(
        error,
        "c.parquet: column `photo` holds Binary, which no type takes\n  hint: flatten it where the file is made"
    );
}
