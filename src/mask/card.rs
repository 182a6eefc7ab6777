//! Card numbers: digits with an issuer's prefix, that issuer's length, and a Luhn check digit.
//!
//! A warehouse is full of long numbers that are no cards (SSCC, GTIN, tracking and order numbers), and one in ten of
//! them passes Luhn by chance. So the prefix and the length must be an issuer's, the grouping must be a card's, and a
//! number that is a valid GS1 one is left alone at the lengths GS1 uses.

use std::sync::Arc;

use super::Found;

pub(super) const KIND: &str = "card number";

/// Digits of the shortest and the longest card number in use.
const LENGTHS: std::ops::RangeInclusive<usize> = 14..=19;

/// How cards are printed, longest first.
const GROUPINGS: &[&[usize]] = &[&[4, 4, 4, 4, 3], &[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4]];

pub(super) fn find(text: &str, spans: &mut Vec<Found>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(start) = bytes[at..]
        .iter()
        .position(u8::is_ascii_digit)
        .map(|step| at + step)
    {
        let run = Run::from(bytes, start);
        at = run.end;
        if run.stands_alone(text) {
            run.cards(bytes, spans);
        }
    }
}

/// Groups of digits with one space or dash between them.
struct Run {
    groups: Vec<(usize, usize)>,
    end: usize,
}

impl Run {
    fn from(bytes: &[u8], start: usize) -> Self {
        let digits = |from: usize| from + bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        let mut groups = vec![(start, digits(start))];
        let mut end = groups[0].1;
        let separator = bytes.get(end).copied().filter(|b| matches!(b, b' ' | b'-'));
        while separator.is_some() && bytes.get(end).copied() == separator {
            let next = digits(end + 1);
            if next == end + 1 {
                break;
            }
            groups.push((end + 1, next));
            end = next;
        }
        Self { groups, end }
    }

    /// Not a part of a word, a decimal, a UUID, a path, a phone number or a GS1 element string such as `(01)0…`.
    fn stands_alone(&self, text: &str) -> bool {
        let in_a_word = |c: char| c.is_alphanumeric() || c == '_';
        let before = text[..self.groups[0].0].chars().next_back();
        let mut after = text[self.end..].chars();
        let ends = match (after.next(), after.next()) {
            (Some('.'), Some(next)) => !next.is_ascii_digit(),
            (Some('-'), Some(next)) => !in_a_word(next),
            (Some(next), _) => !in_a_word(next),
            (None, _) => true,
        };
        ends && before.is_none_or(|c| !(in_a_word(c) || "-/.+)#%".contains(c)))
    }

    fn cards(&self, bytes: &[u8], spans: &mut Vec<Found>) {
        let sizes: Vec<usize> = self.groups.iter().map(|(from, to)| to - from).collect();
        let mut first = 0;
        while first < sizes.len() {
            let taken = self.card_at(first, &sizes, bytes);
            if taken > 0 {
                spans.push(Found {
                    kind: Arc::from(KIND),
                    range: self.groups[first].0..self.groups[first + taken - 1].1,
                });
            }
            first += taken.max(1);
        }
    }

    /// How many groups from this one on are a card: 0 if none.
    fn card_at(&self, first: usize, sizes: &[usize], bytes: &[u8]) -> usize {
        let is_card = |count: usize| {
            let digits: Vec<u8> = self.groups[first..first + count]
                .iter()
                .flat_map(|(from, to)| bytes[*from..*to].iter().map(|digit| digit - b'0'))
                .collect();
            is_card(&digits, count > 1)
        };
        if LENGTHS.contains(&sizes[first]) && is_card(1) {
            return 1;
        }
        // In the middle of a row of fours there is no card: that row is a tracking number.
        if first > 0 && sizes[first - 1] == 4 {
            return 0;
        }
        GROUPINGS
            .iter()
            .filter(|grouping| sizes[first..].starts_with(grouping))
            .map(|grouping| grouping.len())
            .find(|count| self.may_follow(first + count, sizes, bytes) && is_card(*count))
            .unwrap_or(0)
    }

    /// After a card comes nothing, an expiry date (`12 27`, `1227`), or a code of three.
    fn may_follow(&self, next: usize, sizes: &[usize], bytes: &[u8]) -> bool {
        let Some((from, to)) = self.groups.get(next) else {
            return true;
        };
        let month = bytes[*from..*to]
            .iter()
            .take(2)
            .fold(0, |value, digit| value * 10 + (digit - b'0'));
        match sizes[next] {
            2 | 4 => (1..=12).contains(&month),
            3 => true,
            _ => false,
        }
    }
}

fn is_card(digits: &[u8], grouped: bool) -> bool {
    let gs1_length = matches!(digits.len(), 14 | 18);
    has_issuer(digits) && luhn(digits) && (grouped || !gs1_length || !gs1(digits))
}

/// Issuer prefixes with their lengths. Visa's 13 digits went out of use long ago and are what German EANs look like.
fn has_issuer(digits: &[u8]) -> bool {
    let prefix = |count: usize| {
        digits[..count]
            .iter()
            .fold(0u32, |value, digit| value * 10 + u32::from(*digit))
    };
    let (two, three, four) = (prefix(2), prefix(3), prefix(4));
    match digits.len() {
        14 => matches!(two, 36 | 38 | 39) || matches!(three, 300..=305),
        15 => matches!(two, 34 | 37),
        16 => {
            digits[0] == 4
                || matches!(two, 51..=55 | 62 | 65)
                || matches!(three, 644..=649)
                || matches!(four, 2221..=2720 | 3528..=3589 | 6011)
                || is_maestro(four)
        }
        17..=19 => (digits[0] == 4 && digits.len() == 19) || two == 62 || is_maestro(four),
        _ => false,
    }
}

fn is_maestro(four: u32) -> bool {
    matches!(four, 5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763)
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    // All zeros pass Luhn and are nobody's card.
    sum > 0 && sum.is_multiple_of(10)
}

/// The check digit of GTIN and SSCC: weights 3 and 1 from the right.
fn gs1(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| u32::from(*digit) * if place % 2 == 1 { 3 } else { 1 })
        .sum();
    sum.is_multiple_of(10)
}
