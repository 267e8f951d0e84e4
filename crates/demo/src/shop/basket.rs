//! What is in a basket: what the season and the person's taste suggest, and what goes with it.

use super::World;
use super::calendar::Day;
use super::chance::{Chance, Weights};
use super::families::quantity;
use super::money::Cents;
use super::person::Person;

/// One product in a basket or an order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub product: u32,
    pub quantity: i64,
    /// Per piece.
    pub price: Cents,
}

/// How many products are in a basket, from one on: three on average.
pub(super) fn basket_sizes() -> Weights {
    Weights::new([22, 24, 21, 14, 9, 5, 3, 2])
}

/// What `person` would buy on `day`: one to eight different products.
pub(super) fn basket(world: &World, person: &Person, day: Day, chance: &mut Chance) -> Vec<Item> {
    let size = world.basket_sizes.pick(chance) + 1;
    let mut products: Vec<u32> = Vec::with_capacity(size);
    while products.len() < size {
        let product = match products.first() {
            None => by_taste(world, person, day, chance),
            Some(main) => beside(world, *main, person, day, chance),
        };
        if !products.contains(&product) {
            products.push(product);
        }
    }
    products.into_iter().map(|product| item(world, product, day, chance)).collect()
}

fn by_taste(world: &World, person: &Person, day: Day, chance: &mut Chance) -> u32 {
    let family = match chance.happens(0.35) {
        true => chance.one_of(&person.favourites),
        false => world.assortment.family_in(day.month0(), chance),
    };
    world.assortment.product_of(family, chance)
}

/// Something with the first product: what goes with it, its like, or something else altogether.
fn beside(world: &World, main: u32, person: &Person, day: Day, chance: &mut Chance) -> u32 {
    match chance.below(100) {
        0..55 => world.assortment.companion_of(main, chance),
        55..68 => world.assortment.product_of(world.assortment.family_of(main), chance),
        _ => by_taste(world, person, day, chance),
    }
}

fn item(world: &World, product: u32, day: Day, chance: &mut Chance) -> Item {
    let price = world.assortment.price_on(product, day, chance);
    Item { product, quantity: quantity(world.assortment.family_of(product), chance), price }
}

/// What the items cost together.
pub(super) fn value(items: &[Item]) -> Cents {
    items.iter().map(|item| item.price.times(item.quantity)).sum()
}
