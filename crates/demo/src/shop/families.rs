//! The twenty families of furniture: what they are called and cost, when they sell, and with what.
//!
//! A table to read and to change; how it becomes products is `assortment`'s.

use super::chance::Chance;

/// A family of products: what they are called and cost, when they sell, and with what.
#[derive(Debug)]
pub(super) struct Family {
    /// The name of its first category; the others add a style to it.
    pub name: &'static str,
    /// Nouns to name its products by.
    pub nouns: &'static [&'static str],
    /// What follows the colour in a name.
    pub measures: &'static [&'static str],
    /// Lowest and highest usual price in euros.
    pub price: (i64, i64),
    /// Sales per month from January, relative to each other.
    pub months: &'static [u64; 12],
    /// Sales relative to other families.
    pub sales: u64,
    /// The family whose products its products are accessories of.
    pub main: Option<usize>,
    /// What is bought with it, the likelier ones more than once.
    pub companions: &'static [usize],
    /// Pieces of one product in one order, each with a weight.
    quantities: &'static [(i64, u64)],
    /// Days from order to delivery, at least and at most.
    pub lead_days: (i64, i64),
}

const ALL_YEAR: [u64; 12] = [10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10];
const AUTUMN: [u64; 12] = [12, 9, 8, 7, 6, 6, 6, 8, 13, 16, 16, 9];
const SPRING: [u64; 12] = [2, 5, 14, 24, 26, 20, 12, 6, 3, 1, 1, 1];
const WINTER: [u64; 12] = [9, 8, 8, 7, 6, 6, 6, 8, 12, 15, 16, 14];
const FEAST: [u64; 12] = [5, 6, 7, 7, 7, 6, 6, 6, 9, 12, 22, 30];

const SINGLE: &[(i64, u64)] = &[(1, 94), (2, 6)];
const FEW: &[(i64, u64)] = &[(1, 62), (2, 28), (3, 6), (4, 4)];
const PAIRS: &[(i64, u64)] = &[(1, 30), (2, 45), (3, 10), (4, 15)];
const SEATS: &[(i64, u64)] = &[(1, 10), (2, 25), (4, 40), (6, 21), (8, 4)];

pub(super) const SOFAS: usize = 0;
const ARMCHAIRS: usize = 1;
const BEDS: usize = 2;
const MATTRESSES: usize = 3;
const BEDDING: usize = 4;
const BEDSIDE_TABLES: usize = 5;
const WARDROBES: usize = 6;
const DINING_TABLES: usize = 7;
const DINING_CHAIRS: usize = 8;
const COFFEE_TABLES: usize = 9;
const STORAGE: usize = 11;
const LIGHTING: usize = 12;
const RUGS: usize = 13;
const CUSHIONS: usize = 14;
const TABLEWARE: usize = 16;
pub(super) const GARDEN: usize = 17;
const GARDEN_ACCESSORIES: usize = 18;

const BED_SIZES: &[&str] = &["90 x 200 cm", "140 x 200 cm", "160 x 200 cm", "180 x 200 cm"];
const TABLE_SIZES: &[&str] = &["160 cm", "180 cm", "200 cm", "240 cm, uitschuifbaar"];

/// The families; a product's family is its position here.
pub(super) const FAMILIES: [Family; 20] = [
    Family {
        name: "Sofas",
        nouns: &["Bank", "Hoekbank", "Loungebank", "Slaapbank"],
        measures: &["2-zits", "3-zits", "4-zits"],
        price: (399, 2999),
        months: &AUTUMN,
        sales: 30,
        main: None,
        companions: &[CUSHIONS, CUSHIONS, COFFEE_TABLES, RUGS, LIGHTING],
        quantities: SINGLE,
        lead_days: (21, 70),
    },
    Family {
        name: "Armchairs",
        nouns: &["Fauteuil", "Draaifauteuil", "Relaxstoel"],
        measures: &[],
        price: (149, 1199),
        months: &AUTUMN,
        sales: 30,
        main: None,
        companions: &[CUSHIONS, RUGS, LIGHTING],
        quantities: SINGLE,
        lead_days: (7, 42),
    },
    Family {
        name: "Beds",
        nouns: &["Boxspring", "Ledikant", "Bedbank"],
        measures: BED_SIZES,
        price: (199, 2299),
        months: &ALL_YEAR,
        sales: 24,
        main: None,
        companions: &[MATTRESSES, MATTRESSES, BEDDING, BEDDING, BEDSIDE_TABLES],
        quantities: SINGLE,
        lead_days: (14, 56),
    },
    Family {
        name: "Mattresses",
        nouns: &["Matras", "Topmatras"],
        measures: BED_SIZES,
        price: (149, 1499),
        months: &ALL_YEAR,
        sales: 22,
        main: Some(BEDS),
        companions: &[BEDDING],
        quantities: SINGLE,
        lead_days: (3, 14),
    },
    Family {
        name: "Bedding",
        nouns: &["Dekbed", "Hoeslaken", "Dekbedovertrek", "Hoofdkussen"],
        measures: BED_SIZES,
        price: (12, 199),
        months: &WINTER,
        sales: 75,
        main: Some(BEDS),
        companions: &[BEDDING],
        quantities: PAIRS,
        lead_days: (1, 3),
    },
    Family {
        name: "Bedside tables",
        nouns: &["Nachtkastje", "Nachttafel"],
        measures: &[],
        price: (39, 299),
        months: &ALL_YEAR,
        sales: 20,
        main: Some(BEDS),
        companions: &[LIGHTING],
        quantities: PAIRS,
        lead_days: (2, 10),
    },
    Family {
        name: "Wardrobes",
        nouns: &["Kledingkast", "Schuifdeurkast", "Draaideurkast"],
        measures: &["150 cm", "200 cm", "250 cm"],
        price: (199, 1999),
        months: &ALL_YEAR,
        sales: 18,
        main: None,
        companions: &[STORAGE],
        quantities: SINGLE,
        lead_days: (14, 42),
    },
    Family {
        name: "Dining tables",
        nouns: &["Eettafel", "Ronde eettafel", "Bartafel"],
        measures: TABLE_SIZES,
        price: (199, 1999),
        months: &WINTER,
        sales: 26,
        main: None,
        companions: &[DINING_CHAIRS, DINING_CHAIRS, DINING_CHAIRS, LIGHTING, TABLEWARE],
        quantities: SINGLE,
        lead_days: (14, 56),
    },
    Family {
        name: "Dining chairs",
        nouns: &["Eetkamerstoel", "Kuipstoel", "Armstoel"],
        measures: &[],
        price: (49, 349),
        months: &WINTER,
        sales: 45,
        main: Some(DINING_TABLES),
        companions: &[TABLEWARE, DINING_TABLES],
        quantities: SEATS,
        lead_days: (5, 28),
    },
    Family {
        name: "Coffee tables",
        nouns: &["Salontafel", "Bijzettafel"],
        measures: &["60 cm", "90 cm", "120 cm"],
        price: (59, 699),
        months: &ALL_YEAR,
        sales: 35,
        main: Some(SOFAS),
        companions: &[TABLEWARE, RUGS],
        quantities: SINGLE,
        lead_days: (3, 21),
    },
    Family {
        name: "TV units",
        nouns: &["Tv-meubel", "Tv-wand", "Zwevend tv-meubel"],
        measures: &["voor 43\" tv", "voor 55\" tv", "voor 75\" tv"],
        price: (99, 1299),
        months: &AUTUMN,
        sales: 24,
        main: None,
        companions: &[STORAGE, LIGHTING],
        quantities: SINGLE,
        lead_days: (7, 35),
    },
    Family {
        name: "Storage",
        nouns: &["Opbergbox", "Mand", "Wandplank", "Dressoir"],
        measures: &[],
        price: (9, 149),
        months: &ALL_YEAR,
        sales: 70,
        main: Some(WARDROBES),
        companions: &[STORAGE],
        quantities: FEW,
        lead_days: (1, 4),
    },
    Family {
        name: "Lighting",
        nouns: &["Hanglamp", "Vloerlamp", "Tafellamp", "Wandlamp"],
        measures: &[],
        price: (19, 599),
        months: &WINTER,
        sales: 80,
        main: None,
        companions: &[LIGHTING],
        quantities: FEW,
        lead_days: (1, 5),
    },
    Family {
        name: "Rugs",
        nouns: &["Vloerkleed", "Karpet", "Loper"],
        measures: &["120 x 170 cm", "160 x 230 cm", "200 x 290 cm"],
        price: (39, 899),
        months: &AUTUMN,
        sales: 45,
        main: Some(SOFAS),
        companions: &[CUSHIONS],
        quantities: SINGLE,
        lead_days: (2, 7),
    },
    Family {
        name: "Cushions",
        nouns: &["Sierkussen", "Poef", "Plaid"],
        measures: &[],
        price: (9, 79),
        months: &ALL_YEAR,
        sales: 60,
        main: Some(SOFAS),
        companions: &[CUSHIONS, CUSHIONS, RUGS],
        quantities: PAIRS,
        lead_days: (1, 3),
    },
    Family {
        name: "Curtains",
        nouns: &["Gordijn", "Vouwgordijn", "Rolgordijn"],
        measures: &["150 x 250 cm", "300 x 250 cm"],
        price: (19, 249),
        months: &ALL_YEAR,
        sales: 40,
        main: None,
        companions: &[RUGS],
        quantities: PAIRS,
        lead_days: (3, 21),
    },
    Family {
        name: "Tableware",
        nouns: &["Bordenset", "Glazenset", "Schaal", "Tafelkleed"],
        measures: &[],
        price: (5, 129),
        months: &FEAST,
        sales: 85,
        main: None,
        companions: &[TABLEWARE, TABLEWARE, LIGHTING],
        quantities: FEW,
        lead_days: (1, 3),
    },
    Family {
        name: "Garden",
        nouns: &["Loungeset", "Tuintafel", "Tuinstoel", "Ligbed"],
        measures: &[],
        price: (79, 2499),
        months: &SPRING,
        sales: 45,
        main: None,
        companions: &[GARDEN_ACCESSORIES, GARDEN_ACCESSORIES, GARDEN],
        quantities: FEW,
        lead_days: (4, 28),
    },
    Family {
        name: "Garden accessories",
        nouns: &["Parasol", "Tuinkussen", "Buitenkleed", "Vuurkorf"],
        measures: &[],
        price: (19, 399),
        months: &SPRING,
        sales: 50,
        main: Some(GARDEN),
        companions: &[GARDEN_ACCESSORIES],
        quantities: PAIRS,
        lead_days: (1, 5),
    },
    Family {
        name: "Decoration",
        nouns: &["Vaas", "Kaars", "Spiegel", "Wanddecoratie"],
        measures: &[],
        price: (4, 149),
        months: &FEAST,
        sales: 100,
        main: None,
        companions: &[LIGHTING, TABLEWARE, ARMCHAIRS, BEDSIDE_TABLES],
        quantities: FEW,
        lead_days: (1, 3),
    },
];

/// Pieces of a product of `family` in one order.
pub(super) fn quantity(family: usize, chance: &mut Chance) -> i64 {
    let quantities = FAMILIES[family].quantities;
    let total: u64 = quantities.iter().map(|(_, weight)| weight).sum();
    let mut drawn = chance.below(total);
    for (quantity, weight) in quantities {
        if drawn < *weight {
            return *quantity;
        }
        drawn -= weight;
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_constant_is_the_position_of_its_family() {
        for (position, name) in [
            (SOFAS, "Sofas"),
            (ARMCHAIRS, "Armchairs"),
            (BEDS, "Beds"),
            (MATTRESSES, "Mattresses"),
            (BEDDING, "Bedding"),
            (BEDSIDE_TABLES, "Bedside tables"),
            (WARDROBES, "Wardrobes"),
            (DINING_TABLES, "Dining tables"),
            (DINING_CHAIRS, "Dining chairs"),
            (COFFEE_TABLES, "Coffee tables"),
            (STORAGE, "Storage"),
            (LIGHTING, "Lighting"),
            (RUGS, "Rugs"),
            (CUSHIONS, "Cushions"),
            (TABLEWARE, "Tableware"),
            (GARDEN, "Garden"),
            (GARDEN_ACCESSORIES, "Garden accessories"),
        ] {
            assert_eq!(FAMILIES[position].name, name);
        }
    }
}
