//! Where customers and stores are: towns with their real ranges of four-digit postcodes.
//!
//! Good enough for distances between towns and for regions around a store; a postcode's place
//! within its town is made up. Belgium and Germany are there so that not everything is Dutch.

use std::ops::RangeInclusive;

use super::chance::{Chance, Weights};

/// A town, or a part of a large one.
#[derive(Debug)]
pub(super) struct Place {
    pub city: &'static str,
    pub province: &'static str,
    /// NL, BE or DE.
    pub country: &'static str,
    /// Postcodes without a gap: four digits, in Germany five.
    pub postcodes: RangeInclusive<u32>,
    /// Degrees north of the middle.
    latitude: f64,
    /// Degrees east of the middle.
    longitude: f64,
    /// Inhabitants in thousands; for BE and DE in proportion to the shop's customers there.
    pub inhabitants: u64,
}

/// A point in hundred-thousandths of a degree (about a metre).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Point {
    pub latitude: i64,
    pub longitude: i64,
}

/// How likely each place is.
pub(super) fn by_inhabitants() -> Weights {
    Weights::new(PLACES.iter().map(|place| place.inhabitants))
}

impl Place {
    /// Where `postcode` lies: within 2 km of the middle, and the same for everyone.
    ///
    /// The R2 sequence (Roberts, 2018) spreads any number of points evenly over a square.
    pub(super) fn centre(&self, postcode: u32) -> Point {
        let step = f64::from(postcode - self.postcodes.start() + 1);
        let north = (step * 0.754_877_666_246_693).fract() - 0.5;
        let east = (step * 0.569_840_290_998_053).fract() - 0.5;
        Point::at(self.latitude + north * 0.036, self.longitude + east * 0.058)
    }

    /// The middle of the town.
    pub(super) fn middle(&self) -> Point {
        Point::at(self.latitude, self.longitude)
    }

    pub(super) fn any_postcode(&self, chance: &mut Chance) -> u32 {
        chance.between(i64::from(*self.postcodes.start()), i64::from(*self.postcodes.end())) as u32
    }
}

impl Point {
    fn at(latitude: f64, longitude: f64) -> Point {
        Point { latitude: (latitude * 100_000.0).round() as i64, longitude: (longitude * 100_000.0).round() as i64 }
    }

    /// A door within 500 m north or south, and east or west.
    pub(super) fn nearby(self, chance: &mut Chance) -> Point {
        Point {
            latitude: self.latitude + chance.between(-450, 450),
            longitude: self.longitude + chance.between(-730, 730),
        }
    }

    /// For comparing distances only: squared, in hundred-thousandths of a degree of latitude.
    pub(super) fn squared_distance(self, other: Point) -> i64 {
        let north = self.latitude - other.latitude;
        // A degree of longitude is 0.62 of one of latitude at 52° north.
        let east = (self.longitude - other.longitude) * 62 / 100;
        north * north + east * east
    }
}

const fn nl(
    city: &'static str,
    province: &'static str,
    postcodes: RangeInclusive<u32>,
    (latitude, longitude): (f64, f64),
    inhabitants: u64,
) -> Place {
    Place { city, province, country: "NL", postcodes, latitude, longitude, inhabitants }
}

const fn abroad(
    country: &'static str,
    city: &'static str,
    province: &'static str,
    postcodes: RangeInclusive<u32>,
    (latitude, longitude): (f64, f64),
    inhabitants: u64,
) -> Place {
    Place { city, province, country, postcodes, latitude, longitude, inhabitants }
}

/// Towns in all twelve provinces, then in Belgium and Germany.
pub(super) const PLACES: &[Place] = &[
    nl("Amsterdam", "Noord-Holland", 1011..=1019, (52.38, 4.89), 230),
    nl("Amsterdam", "Noord-Holland", 1051..=1059, (52.37, 4.86), 240),
    nl("Amsterdam", "Noord-Holland", 1071..=1079, (52.35, 4.89), 240),
    nl("Amsterdam", "Noord-Holland", 1091..=1098, (52.35, 4.93), 220),
    nl("Haarlem", "Noord-Holland", 2031..=2037, (52.37, 4.66), 165),
    nl("Zaandam", "Noord-Holland", 1501..=1509, (52.44, 4.83), 78),
    nl("Hilversum", "Noord-Holland", 1211..=1218, (52.23, 5.16), 94),
    nl("Alkmaar", "Noord-Holland", 1811..=1817, (52.63, 4.74), 95),
    nl("Hoorn", "Noord-Holland", 1621..=1625, (52.64, 5.06), 70),
    nl("Amstelveen", "Noord-Holland", 1181..=1189, (52.29, 4.86), 95),
    nl("Purmerend", "Noord-Holland", 1441..=1448, (52.51, 4.97), 82),
    nl("Den Helder", "Noord-Holland", 1781..=1788, (52.93, 4.76), 57),
    nl("Rotterdam", "Zuid-Holland", 3021..=3029, (51.91, 4.44), 240),
    nl("Rotterdam", "Zuid-Holland", 3071..=3079, (51.89, 4.52), 230),
    nl("Rotterdam", "Zuid-Holland", 3061..=3069, (51.94, 4.54), 200),
    nl("Den Haag", "Zuid-Holland", 2511..=2518, (52.08, 4.31), 290),
    nl("Den Haag", "Zuid-Holland", 2561..=2566, (52.07, 4.27), 270),
    nl("Leiden", "Zuid-Holland", 2311..=2318, (52.16, 4.50), 130),
    nl("Delft", "Zuid-Holland", 2622..=2629, (51.99, 4.36), 109),
    nl("Gouda", "Zuid-Holland", 2801..=2809, (52.01, 4.71), 76),
    nl("Dordrecht", "Zuid-Holland", 3311..=3319, (51.80, 4.69), 122),
    nl("Zoetermeer", "Zuid-Holland", 2721..=2729, (52.07, 4.52), 128),
    nl("Utrecht", "Utrecht", 3521..=3528, (52.07, 5.11), 200),
    nl("Utrecht", "Utrecht", 3561..=3566, (52.12, 5.11), 176),
    nl("Amersfoort", "Utrecht", 3811..=3819, (52.16, 5.38), 161),
    nl("Nieuwegein", "Utrecht", 3431..=3439, (52.03, 5.09), 66),
    nl("Zeist", "Utrecht", 3701..=3709, (52.09, 5.24), 66),
    nl("Veenendaal", "Utrecht", 3901..=3907, (52.02, 5.56), 70),
    nl("Eindhoven", "Noord-Brabant", 5621..=5629, (51.47, 5.46), 246),
    nl("Tilburg", "Noord-Brabant", 5041..=5049, (51.58, 5.04), 230),
    nl("Breda", "Noord-Brabant", 4811..=4819, (51.59, 4.77), 188),
    nl("'s-Hertogenbosch", "Noord-Brabant", 5231..=5237, (51.72, 5.31), 162),
    nl("Helmond", "Noord-Brabant", 5701..=5709, (51.48, 5.66), 96),
    nl("Oss", "Noord-Brabant", 5341..=5349, (51.76, 5.53), 61),
    nl("Roosendaal", "Noord-Brabant", 4701..=4708, (51.53, 4.46), 67),
    nl("Bergen op Zoom", "Noord-Brabant", 4611..=4615, (51.50, 4.29), 56),
    nl("Maastricht", "Limburg", 6211..=6219, (50.85, 5.67), 125),
    nl("Venlo", "Limburg", 5921..=5928, (51.37, 6.13), 72),
    nl("Heerlen", "Limburg", 6411..=6419, (50.89, 5.98), 69),
    nl("Roermond", "Limburg", 6041..=6045, (51.19, 6.01), 48),
    nl("Sittard", "Limburg", 6131..=6137, (51.00, 5.87), 38),
    nl("Weert", "Limburg", 6001..=6006, (51.25, 5.70), 40),
    nl("Middelburg", "Zeeland", 4331..=4338, (51.50, 3.62), 42),
    nl("Goes", "Zeeland", 4461..=4465, (51.51, 3.90), 28),
    nl("Vlissingen", "Zeeland", 4381..=4387, (51.46, 3.57), 34),
    nl("Terneuzen", "Zeeland", 4535..=4538, (51.32, 3.85), 25),
    nl("Arnhem", "Gelderland", 6821..=6828, (51.99, 5.94), 168),
    nl("Nijmegen", "Gelderland", 6532..=6538, (51.81, 5.82), 187),
    nl("Apeldoorn", "Gelderland", 7321..=7329, (52.21, 6.00), 141),
    nl("Ede", "Gelderland", 6711..=6718, (52.04, 5.66), 80),
    nl("Doetinchem", "Gelderland", 7001..=7009, (51.97, 6.29), 49),
    nl("Zutphen", "Gelderland", 7201..=7207, (52.14, 6.20), 45),
    nl("Tiel", "Gelderland", 4001..=4007, (51.89, 5.42), 38),
    nl("Enschede", "Overijssel", 7541..=7548, (52.20, 6.86), 160),
    nl("Zwolle", "Overijssel", 8011..=8017, (52.49, 6.11), 133),
    nl("Deventer", "Overijssel", 7411..=7419, (52.26, 6.16), 83),
    nl("Hengelo", "Overijssel", 7551..=7559, (52.27, 6.79), 82),
    nl("Almelo", "Overijssel", 7601..=7610, (52.36, 6.66), 74),
    nl("Kampen", "Overijssel", 8261..=8267, (52.56, 5.90), 38),
    nl("Almere", "Flevoland", 1311..=1319, (52.38, 5.21), 226),
    nl("Lelystad", "Flevoland", 8221..=8226, (52.52, 5.50), 84),
    nl("Dronten", "Flevoland", 8251..=8254, (52.53, 5.73), 31),
    nl("Emmeloord", "Flevoland", 8301..=8305, (52.71, 5.75), 27),
    nl("Groningen", "Groningen", 9711..=9718, (53.23, 6.56), 243),
    nl("Veendam", "Groningen", 9644..=9646, (53.11, 6.89), 28),
    nl("Delfzijl", "Groningen", 9931..=9934, (53.33, 6.90), 24),
    nl("Leeuwarden", "Friesland", 8911..=8919, (53.21, 5.78), 98),
    nl("Drachten", "Friesland", 9201..=9207, (53.11, 6.09), 46),
    nl("Sneek", "Friesland", 8601..=8608, (53.03, 5.66), 35),
    nl("Heerenveen", "Friesland", 8441..=8448, (52.95, 5.93), 31),
    nl("Assen", "Drenthe", 9401..=9408, (52.99, 6.55), 68),
    nl("Emmen", "Drenthe", 7821..=7828, (52.77, 6.92), 58),
    nl("Hoogeveen", "Drenthe", 7901..=7909, (52.72, 6.48), 40),
    nl("Meppel", "Drenthe", 7941..=7944, (52.70, 6.19), 30),
    abroad("BE", "Antwerpen", "Antwerpen", 2000..=2060, (51.22, 4.41), 260),
    abroad("BE", "Gent", "Oost-Vlaanderen", 9000..=9052, (51.05, 3.72), 170),
    abroad("BE", "Hasselt", "Limburg (BE)", 3500..=3512, (50.93, 5.34), 90),
    abroad("BE", "Turnhout", "Antwerpen", 2300..=2300, (51.32, 4.94), 80),
    abroad("BE", "Brugge", "West-Vlaanderen", 8000..=8000, (51.21, 3.22), 80),
    abroad("DE", "Kleve", "Nordrhein-Westfalen", 47533..=47533, (51.79, 6.14), 110),
    abroad("DE", "Aachen", "Nordrhein-Westfalen", 52062..=52080, (50.78, 6.08), 110),
    abroad("DE", "Nordhorn", "Niedersachsen", 48527..=48531, (52.43, 7.07), 100),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_in_ten_live_in_the_netherlands_and_in_all_of_its_provinces() {
        let inhabitants = |country: &str| -> u64 {
            PLACES.iter().filter(|place| place.country == country).map(|place| place.inhabitants).sum()
        };
        let everyone: u64 = PLACES.iter().map(|place| place.inhabitants).sum();
        assert!((88..=90).contains(&(inhabitants("NL") * 100 / everyone)));
        let provinces: std::collections::BTreeSet<&str> =
            PLACES.iter().filter(|place| place.country == "NL").map(|place| place.province).collect();
        assert_eq!(provinces.len(), 12);
    }

    #[test]
    fn a_dutch_postcode_belongs_to_one_place() {
        let mut ranges: Vec<(u32, u32)> = PLACES
            .iter()
            .filter(|place| place.country == "NL")
            .map(|place| (*place.postcodes.start(), *place.postcodes.end()))
            .collect();
        ranges.sort_unstable();
        assert!(ranges.windows(2).all(|pair| pair[0].1 < pair[1].0));
        assert!(ranges.iter().all(|(first, last)| (1000..=9999).contains(first) && last <= &9999));
    }

    #[test]
    fn a_postcode_lies_within_three_kilometres_of_its_town() {
        for place in PLACES {
            for postcode in place.postcodes.clone() {
                assert!(place.centre(postcode).squared_distance(place.middle()) < 2_700 * 2_700);
            }
        }
    }
}
