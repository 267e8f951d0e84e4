//! What two rooms must call the same, though neither may import the other.

use muster_language::hidden;
use muster_store::SystemColumn;

use crate::world::World;

#[test]
fn the_stores_system_columns_are_the_languages_hidden_ones() {
    let names: Vec<&str> = SystemColumn::ALL.into_iter().map(SystemColumn::name).collect();
    assert_eq!(names, [hidden::ROW, hidden::PARENT, hidden::PROFILE, hidden::TIME]);
    assert!(names.iter().all(|name| name.starts_with(hidden::PREFIX)));
    assert!(hidden::segment("vip").starts_with(hidden::PREFIX));
}

#[test]
fn no_hidden_column_is_part_of_an_answer() {
    let shop = World::shop().with_segment("vip", &[0]);
    for table in ["profiles", "orders", "lines", "products"] {
        let answer = shop.ask(&format!("SELECT * FROM {table} WHERE TRUE")).unwrap();
        let shown: Vec<&str> = answer.schema.fields().iter().map(|field| field.name().as_str()).collect();
        let own: Vec<&str> =
            shop.snapshot.schema(table).unwrap().columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(shown, own);
    }
}
