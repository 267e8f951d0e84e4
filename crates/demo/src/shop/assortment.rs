//! What the shop sells: products in categories, which are popular, and what goes with what.

use super::calendar::{Day, sale};
use super::chance::{Chance, Purpose, Weights};
use super::families::{FAMILIES, Family};
use super::money::Cents;
use super::table::{Cells, Column, Key, Kind, Record, column};

/// The style of a family's second to tenth category.
const STYLES: [&str; 9] =
    ["Modern", "Scandinavian", "Industrial", "Rural", "Classic", "Japandi", "Vintage", "Coastal", "Kids"];

const COLLECTIONS: [&str; 32] = [
    "Texel",
    "Veluwe",
    "Giethoorn",
    "Zaanse",
    "Drenthe",
    "Walcheren",
    "Terschelling",
    "Biesbosch",
    "Gooi",
    "Achterhoek",
    "Betuwe",
    "Kennemer",
    "Waterland",
    "Peel",
    "Vlieland",
    "Twente",
    "Ameland",
    "Salland",
    "Meijerij",
    "Hunze",
    "Schouwen",
    "Maasduin",
    "Weerribben",
    "Vecht",
    "Rijk",
    "Marken",
    "Urk",
    "Loosdrecht",
    "Kralingen",
    "Haarzuil",
    "\"De Hoop\"",
    "Duinrell",
];
const COLOURS: [&str; 12] = [
    "donkergrijs",
    "beige",
    "naturel eiken",
    "zwart",
    "wit",
    "olijfgroen",
    "oker",
    "nachtblauw",
    "walnoot",
    "terracotta",
    "zand",
    "roze",
];
const BRANDS: [&str; 16] = [
    "Huislijn",
    "Noordzee",
    "Eikenhof",
    "Linden & Zoon",
    "Pluis",
    "Waterkant",
    "De Werkbank",
    "Kust",
    "Veldkamp",
    "Atelier Zuid",
    "Stam",
    "Wolhuis",
    "Grachten",
    "Loodlijn",
    "Zonnehoek",
    "Molenaar",
];

/// One product; its key is its position in the list.
#[derive(Debug)]
pub(super) struct Product {
    number: u32,
    name: String,
    pub family: usize,
    category: String,
    price: Cents,
    cost: Cents,
    in_stock: i64,
    accessory_of: Option<u32>,
    premium_of: Option<u32>,
    brand: &'static str,
}

/// Everything that the shop sells, and how often.
#[derive(Debug)]
pub(super) struct Assortment {
    pub products: Vec<Product>,
    /// Per family, the products from the most to the least popular.
    ranked: Vec<Vec<u32>>,
    /// Per family, how likely each rank is.
    popularity: Vec<Weights>,
    /// Per product, what is an accessory of it.
    accessories: Vec<Vec<u32>>,
    /// Per month, how likely each family is.
    by_month: Vec<Weights>,
    /// How likely each family is over a year.
    by_sales: Weights,
}

impl Assortment {
    /// So many products (at least 100) in 20 categories, or more from 4,000 products on.
    pub(super) fn new(count: usize, seed: u64) -> Assortment {
        let mut chance = Chance::of(seed, Purpose::Assortment, 0);
        let ranked = shuffled_into_families(count, &mut chance);
        let mut draft = Draft {
            styles: (count / 2000).clamp(1, 10),
            ranked: &ranked,
            products: (0..count).map(|_| None).collect(),
        };
        for family in families_with_mains_first() {
            for rank in 0..ranked[family].len() {
                draft.add(family, rank, &mut chance);
            }
        }
        let products: Vec<Product> = draft.products.into_iter().flatten().collect();
        Assortment {
            accessories: accessories(&products),
            popularity: ranked.iter().map(|products| Weights::zipf(products.len())).collect(),
            by_month: (0..12).map(by_month).collect(),
            by_sales: Weights::new(FAMILIES.iter().map(|family| family.sales)),
            products,
            ranked,
        }
    }

    /// A family by the season.
    pub(super) fn family_in(&self, month0: usize, chance: &mut Chance) -> usize {
        self.by_month[month0].pick(chance)
    }

    /// A family by its sales over a year.
    pub(super) fn family(&self, chance: &mut Chance) -> usize {
        self.by_sales.pick(chance)
    }

    /// A product of a family, the popular ones more often.
    pub(super) fn product_of(&self, family: usize, chance: &mut Chance) -> u32 {
        self.ranked[family][self.popularity[family].pick(chance)]
    }

    /// The most popular product of a family.
    pub(super) fn best_seller_of(&self, family: usize) -> u32 {
        self.ranked[family][0]
    }

    /// What someone who takes `product` takes with it: an accessory of it, or of its kind.
    pub(super) fn companion_of(&self, product: u32, chance: &mut Chance) -> u32 {
        let accessories = &self.accessories[product as usize];
        if !accessories.is_empty() && chance.happens(0.6) {
            return chance.one_of(accessories);
        }
        let companion = chance.one_of(FAMILIES[self.family_of(product)].companions);
        self.product_of(companion, chance)
    }

    pub(super) fn family_of(&self, product: u32) -> usize {
        self.products[product as usize].family
    }

    pub(super) fn category_of(&self, product: u32) -> &str {
        &self.products[product as usize].category
    }

    /// What a piece costs on that day: prices rise every July, and fall in a sale.
    pub(super) fn price_on(&self, product: u32, day: Day, chance: &mut Chance) -> Cents {
        let list = self.products[product as usize].price;
        let of_that_year = tidy(list.percent([91, 95, 98, 100][(day.0 / 365).clamp(0, 3) as usize]));
        match chance.happens(sale(day.date()).cut) {
            true => of_that_year.percent(chance.one_of(&[90, 85, 80, 70])),
            false => of_that_year,
        }
    }
}

fn by_month(month0: usize) -> Weights {
    Weights::new(FAMILIES.iter().map(|family| family.sales * family.months[month0]))
}

/// The numbers 0 to `count` in a random order, cut into families by the square root of their sales.
fn shuffled_into_families(count: usize, chance: &mut Chance) -> Vec<Vec<u32>> {
    let mut numbers: Vec<u32> = (0..count as u32).collect();
    for last in (1..count).rev() {
        numbers.swap(last, chance.below(last as u64 + 1) as usize);
    }
    let breadth = |family: &Family| f64::from(family.sales as u32).sqrt();
    let total: f64 = FAMILIES.iter().map(breadth).sum();
    let mut until = 0.0;
    let mut cut = |family: &Family| {
        let start = (until / total * count as f64).round() as usize;
        until += breadth(family);
        numbers[start..(until / total * count as f64).round() as usize].to_vec()
    };
    FAMILIES.iter().map(&mut cut).collect()
}

/// An accessory needs its main product to exist.
fn families_with_mains_first() -> Vec<usize> {
    let mut families: Vec<usize> = (0..FAMILIES.len()).collect();
    families.sort_by_key(|family| FAMILIES[*family].main.is_some());
    families
}

/// The assortment while it grows.
struct Draft<'a> {
    /// Categories per family.
    styles: usize,
    ranked: &'a [Vec<u32>],
    products: Vec<Option<Product>>,
}

impl Draft<'_> {
    fn add(&mut self, family: usize, rank: usize, chance: &mut Chance) {
        let number = self.ranked[family][rank];
        let premium_of = self.cheaper_sister(family, rank, chance);
        let price = match premium_of.and_then(|sister| self.products[sister as usize].as_ref()) {
            Some(sister) => tidy(sister.price.percent(chance.between(130, 180))),
            None => usual_price(&FAMILIES[family], chance),
        };
        self.products[number as usize] = Some(Product {
            number,
            name: name(&FAMILIES[family], rank, chance),
            family,
            category: category(family, rank % self.styles),
            price,
            cost: price.percent(chance.between(42, 71)),
            in_stock: if chance.happens(0.06) { 0 } else { chance.between(1, 250) },
            accessory_of: self.main_product(family, chance),
            premium_of,
            brand: chance.one_of(&BRANDS),
        });
    }

    /// A more popular product of the same category, for one product in seven.
    fn cheaper_sister(&self, family: usize, rank: usize, chance: &mut Chance) -> Option<u32> {
        let sisters = rank / self.styles;
        if sisters == 0 || !chance.happens(0.15) {
            return None;
        }
        let sister = chance.below(sisters as u64) as usize * self.styles + rank % self.styles;
        Some(self.ranked[family][sister])
    }

    /// One of the popular half of the main family, for three accessories in five.
    fn main_product(&self, family: usize, chance: &mut Chance) -> Option<u32> {
        let mains = &self.ranked[FAMILIES[family].main?];
        let popular = &mains[..mains.len().div_ceil(2)];
        chance.happens(0.6).then(|| chance.one_of(popular))
    }
}

fn name(family: &Family, rank: usize, chance: &mut Chance) -> String {
    let noun = family.nouns[rank % family.nouns.len()];
    let collection = COLLECTIONS[rank / family.nouns.len() % COLLECTIONS.len()];
    let colour = chance.one_of(&COLOURS);
    if family.measures.is_empty() {
        return format!("{noun} {collection} {colour}");
    }
    format!("{noun} {collection} {colour}, {}", chance.one_of(family.measures))
}

fn category(family: usize, style: usize) -> String {
    let name = FAMILIES[family].name;
    if style == 0 { name.to_owned() } else { format!("{name} {}", STYLES[style - 1]) }
}

/// Between the family's lowest and highest price, the lower ones more often.
fn usual_price(family: &Family, chance: &mut Chance) -> Cents {
    let (low, high) = family.price;
    let position = chance.unit() * chance.unit() * chance.unit();
    tidy(Cents(low * 100 + ((high - low) as f64 * 100.0 * position) as i64))
}

/// A price as on a label: whole euros from 100, ending on .95 below.
fn tidy(price: Cents) -> Cents {
    let euros = price.0 / 100;
    if euros >= 100 { Cents(euros * 100) } else { Cents(euros * 100 + 95) }
}

fn accessories(products: &[Product]) -> Vec<Vec<u32>> {
    let mut accessories = vec![Vec::new(); products.len()];
    for product in products {
        if let Some(main) = product.accessory_of {
            accessories[main as usize].push(product.number);
        }
    }
    accessories
}

impl Record for Product {
    const COLUMNS: &'static [Column] = &[
        column("product_id", Kind::Text),
        column("name", Kind::Text),
        column("category", Kind::Text),
        column("price", Kind::Money),
        column("cost", Kind::Money),
        column("in_stock", Kind::Integer),
        column("accessory_of", Kind::Text),
        column("premium_of", Kind::Text),
        column("brand", Kind::Text),
    ];

    fn cells<C: Cells>(&self, cells: &mut C) {
        cells.key(Key::product(self.number));
        cells.text(&self.name);
        cells.text(&self.category);
        cells.money(self.price);
        cells.money(self.cost);
        cells.integer(self.in_stock);
        cells.maybe(self.accessory_of.map(Key::product), C::key);
        cells.maybe(self.premium_of.map(Key::product), C::key);
        cells.text(self.brand);
    }
}

#[cfg(test)]
mod tests {
    use super::super::families::{GARDEN, SOFAS};
    use super::*;

    #[test]
    fn twenty_thousand_products_have_two_hundred_categories_and_four_hundred_have_twenty() {
        for (products, categories) in [(400, 20), (20_000, 200)] {
            let assortment = Assortment::new(products, 42);
            assert_eq!(assortment.products.len(), products);
            let names: std::collections::BTreeSet<&str> =
                assortment.products.iter().map(|product| product.category.as_str()).collect();
            assert_eq!(names.len(), categories);
            assert!(names.contains("Sofas") && names.contains("Garden"));
        }
    }

    #[test]
    fn a_premium_product_costs_more_than_its_sister_of_the_same_category() {
        let assortment = Assortment::new(2_000, 42);
        let pairs: Vec<(&Product, &Product)> = assortment
            .products
            .iter()
            .filter_map(|product| Some((product, &assortment.products[product.premium_of? as usize])))
            .collect();
        assert!(pairs.len() > 200);
        assert!(
            pairs.iter().all(|(premium, sister)| premium.price > sister.price && premium.category == sister.category)
        );
    }

    #[test]
    fn an_accessory_belongs_to_a_product_of_its_main_family() {
        let assortment = Assortment::new(2_000, 42);
        let mut accessories = assortment.products.iter().filter(|product| product.accessory_of.is_some()).peekable();
        assert!(accessories.peek().is_some());
        for accessory in accessories {
            let main = accessory.accessory_of.map(|main| assortment.family_of(main));
            assert_eq!(main, FAMILIES[accessory.family].main, "{}", accessory.name);
        }
    }

    #[test]
    fn gardens_sell_in_april_and_sofas_in_october() {
        let assortment = Assortment::new(400, 42);
        let mut chance = Chance::of(42, Purpose::Life, 0);
        let mut sold = |month0: usize, family: usize| {
            (0..20_000).filter(|_| assortment.family_in(month0, &mut chance) == family).count()
        };
        assert!(sold(3, GARDEN) > 5 * sold(9, GARDEN).max(1));
        assert!(sold(9, SOFAS) > sold(3, SOFAS) * 3 / 2);
    }
}
