//! Numbers that cost a fortune or are known for revenue-share fraud: satellite and shared networks, premium ranges of the
//! own country and of others, small plans. Only the right `premium` may call them. Sources: ITU-T E.164 assigned codes,
//! regulators' premium ranges, yearly fraud reports. Data and its look-up; decides nothing else.

/// Whether E.164 digits (without `+`) begin with a listed prefix.
#[must_use]
pub fn listed(digits: &str) -> bool {
    LISTS.iter().any(|list| list.iter().any(|prefix| digits.starts_with(prefix)))
}

/// The North American plan is one country code for many countries: whether these digits are charged like home there.
/// Canada's area codes are home in Canada, abroad in the United States, and the other way round.
#[must_use]
pub fn same_part_of_plan_1(country: &str, digits: &str) -> bool {
    let canadian = CANADA.iter().any(|area| digits.get(1..4) == Some(area));
    canadian == (country == "CA")
}

const LISTS: &[&[&str]] = &[GLOBAL, SMALL_PLANS, FRAUD, CARIBBEAN, PREMIUM];

/// E.164 global services: satellite, maritime, shared networks, universal and international premium numbers.
const GLOBAL: &[&str] =
    &["808", "870", "871", "872", "873", "874", "875", "877", "878", "881", "882", "883", "888", "979"];

/// Islands and other small numbering plans.
const SMALL_PLANS: &[&str] = &[
    "239", "240", "245", "246", "247", "248", "262", "269", "290", "291", "297", "298", "299", "500", "501",
    "508", "509", "590", "592", "594", "596", "597", "599", "670", "672", "673", "674", "675", "676", "677",
    "678", "679", "680", "681", "682", "683", "685", "686", "687", "688", "689", "690", "691", "692", "850",
    "960",
];

/// Plans that fraud reports name year after year.
const FRAUD: &[&str] = &[
    "213", "216", "218", "220", "221", "222", "223", "224", "225", "226", "227", "228", "229", "231", "232",
    "233", "234", "235", "236", "237", "238", "241", "242", "243", "244", "249", "250", "251", "252", "253",
    "255", "256", "257", "258", "260", "261", "263", "264", "265", "266", "267", "268", "53", "591", "593",
    "595", "855", "856", "880", "92", "93", "94", "95", "961", "963", "964", "967", "970", "975", "976",
    "977", "992", "993", "994", "995", "996", "998", "371", "372900", "375", "37744", "37745", "381", "382",
    "383", "387",
];

/// North American area codes outside the United States and Canada: dialled like home, charged like a far island.
const CARIBBEAN: &[&str] = &[
    "1242", "1246", "1264", "1268", "1284", "1345", "1441", "1473", "1649", "1658", "1664", "1721", "1758",
    "1767", "1784", "1809", "1829", "1849", "1868", "1869", "1876",
];

/// Premium ranges, country code first.
const PREMIUM: &[&str] = &[
    "1900", "1976", "20900", "27862", "2790", "3090", "31900", "31906", "31909", "3290", "327", "3389",
    "34803", "34806", "34807", "34905", "34907", "35160", "35161", "35164", "352900", "352901", "352905",
    "35315", "358600", "358700", "35690", "359900", "3690", "3691", "370900", "385060", "38560", "38561",
    "38564", "38565", "38569", "386900", "3989", "39144", "39166", "4090", "4190", "42090", "421900", "439",
    "4470", "4487", "449", "44118", "4590", "46900", "46939", "46944", "4699", "4782", "4870", "49137",
    "49180", "49190", "49900", "49118", "52900", "54600", "54609", "55500", "55900", "56700", "57901",
    "60600", "6119", "62809", "63900", "64900", "651900", "661900", "7803", "7809", "81990", "8260",
    "841900", "852900", "86160", "86168", "88620", "90898", "90900", "911900", "966700", "971900", "97219",
];

/// Canada's area codes.
const CANADA: &[&str] = &[
    "204", "226", "236", "249", "250", "257", "263", "289", "306", "343", "354", "365", "367", "368", "382",
    "403", "416", "418", "428", "431", "437", "438", "450", "460", "468", "474", "506", "514", "519", "548",
    "579", "581", "584", "587", "604", "613", "639", "647", "672", "683", "705", "709", "742", "753", "778",
    "780", "782", "807", "819", "825", "867", "873", "879", "902", "905", "942",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dear_numbers_are_listed_and_plain_ones_are_not() {
        for dear in ["88213123456", "18765551234", "499001234567", "25261234567", "44909123456", "979123456"]
        {
            assert!(listed(dear), "{dear}");
        }
        for plain in
            ["4930123456", "12125551234", "442071234567", "33123456789", "8613812345678", "39061234567"]
        {
            assert!(!listed(plain), "{plain}");
        }
    }

    #[test]
    fn prefixes_are_digits() {
        assert!(LISTS.iter().flat_map(|l| l.iter()).all(|p| p.bytes().all(|b| b.is_ascii_digit())));
    }
}
