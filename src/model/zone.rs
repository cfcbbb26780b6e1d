//! The time zones that a telephone number may be in, by the geography of its prefix. Where a prefix spans several zones all
//! of them are given, so that whoever asks may be careful in each. Sources: ITU-T E.164 assignments, the North American
//! area codes, IANA time zones. A number whose place cannot be told has no zone; nobody may guess one.

/// IANA names of every zone that a number in international form may be in; empty when its prefix tells no place.
#[must_use]
pub fn zones(e164: &str) -> Vec<&'static str> {
    let digits = e164.trim_start_matches('+');
    if let Some(rest) = digits.strip_prefix('1') {
        return rest.get(..3).map(north_america).unwrap_or_default();
    }
    let longest = (1..=LONGEST_PREFIX.min(digits.len())).rev().filter_map(|n| digits.get(..n));
    for prefix in longest {
        if let Some((_, zones)) = WORLD.iter().find(|(codes, _)| codes.split(' ').any(|c| c == prefix)) {
            return zones.split(' ').collect();
        }
    }
    Vec::new()
}

/// The narrower of what the prefix and the list say: a zone of the list counts alone only where the prefix allows it.
#[must_use]
pub fn narrowed(by_prefix: &[&str], told: Option<&str>) -> Vec<String> {
    let all = || by_prefix.iter().map(|z| (*z).to_owned());
    match told.filter(|z| !z.is_empty()) {
        None => all().collect(),
        Some(zone) if by_prefix.contains(&zone) => vec![zone.to_owned()],
        Some(zone) => all().chain([zone.to_owned()]).collect(),
    }
}

/// Whether this is the name of a time zone.
#[must_use]
pub fn is_known(zone: &str) -> bool {
    jiff::tz::TimeZone::get(zone).is_ok()
}

fn north_america(area: &str) -> Vec<&'static str> {
    let found = AREAS.iter().filter(|(_, codes)| codes.split(' ').any(|code| code == area));
    found.map(|(zone, _)| *zone).collect()
}

/// Calling codes have up to three digits; a country with several zones is told by up to four.
const LONGEST_PREFIX: usize = 5;

/// Area codes of the North American plan by zone; one that lies in two stands in both.
const AREAS: [(&str, &str); 30] = [
    (
        "America/New_York",
        "201 202 203 207 212 215 216 220 223 227 229 231 234 239 240 248 252 260 267 269 270 272 276 301 302 304 305 \
         313 315 317 321 324 326 330 332 336 339 347 351 352 364 380 386 401 404 407 410 412 413 419 423 434 436 440 \
         443 445 448 463 470 472 475 478 484 502 508 513 516 517 518 540 551 561 567 570 571 574 582 585 586 603 606 \
         607 609 610 614 616 617 624 631 640 645 646 656 667 678 679 680 681 686 689 703 704 706 716 717 718 724 727 \
         728 732 734 740 743 754 757 762 765 770 771 772 774 781 786 802 803 804 810 812 813 814 821 826 828 835 838 \
         839 843 845 848 850 854 856 857 859 860 862 863 864 865 878 904 906 908 910 912 914 917 919 929 930 931 934 \
         937 941 943 947 948 954 959 973 978 980 984 989",
    ),
    (
        "America/Chicago",
        "205 210 214 217 218 219 224 225 228 235 251 254 256 262 270 274 281 308 309 312 314 316 318 319 320 325 327 \
         331 334 337 346 353 361 364 402 405 409 414 417 423 430 432 447 448 464 469 479 501 504 507 512 515 531 534 \
         539 557 563 572 573 574 580 601 605 606 608 612 615 618 620 629 630 636 641 651 658 659 660 662 682 701 708 \
         712 713 715 726 730 731 737 763 765 769 773 779 785 806 812 815 816 817 830 832 847 850 861 870 872 901 903 \
         906 913 915 918 920 924 930 931 936 938 940 945 952 956 972 975 979 985",
    ),
    (
        "America/Denver",
        "303 307 308 385 406 432 435 505 541 458 575 605 620 701 702 719 720 775 785 801 806 915 928 970 983 208 986",
    ),
    ("America/Phoenix", "480 520 602 623 928 435"),
    (
        "America/Los_Angeles",
        "206 208 209 213 253 279 310 323 341 350 357 360 369 408 415 424 425 442 458 503 509 510 530 541 559 562 564 \
         619 626 628 650 657 661 669 702 707 714 725 738 747 760 775 805 818 820 831 837 840 858 909 916 925 949 951 \
         971 986",
    ),
    ("America/Anchorage", "907"),
    ("America/Adak", "907"),
    ("Pacific/Honolulu", "808"),
    ("America/Puerto_Rico", "787 939 340"),
    ("Pacific/Guam", "670 671"),
    ("Pacific/Pago_Pago", "684"),
    (
        "America/Toronto",
        "226 249 263 289 343 354 365 367 382 416 418 437 438 450 468 514 519 548 579 581 613 647 683 705 742 753 807 \
         819 867 873 905 942",
    ),
    ("America/Winnipeg", "204 431 584 807 867"),
    ("America/Regina", "306 474 639"),
    ("America/Edmonton", "368 403 587 780 825 867 250 236 257 672 778"),
    ("America/Vancouver", "236 250 257 604 672 778"),
    ("America/Whitehorse", "867"),
    ("America/Halifax", "782 902 506 428 418 581 367"),
    ("America/St_Johns", "709 879"),
    ("America/Goose_Bay", "709 879"),
    ("America/Nassau", "242"),
    ("America/Barbados", "246"),
    ("America/Port_of_Spain", "264 268 284 473 664 758 767 784 868 869 721"),
    ("America/Cayman", "345"),
    ("Atlantic/Bermuda", "441"),
    ("America/Grand_Turk", "649"),
    ("America/Jamaica", "658 876"),
    ("America/Santo_Domingo", "809 829 849"),
    ("America/Boise", "208 986"),
    ("America/Detroit", "231 248 269 313 517 586 616 679 734 810 906 947 989"),
];

/// Prefixes elsewhere, the longest that fits counts.
const WORLD: [(&str, &str); 100] = [
    ("20", "Africa/Cairo"),
    ("27", "Africa/Johannesburg"),
    ("30", "Europe/Athens"),
    ("31", "Europe/Amsterdam"),
    ("32", "Europe/Brussels"),
    ("33", "Europe/Paris"),
    ("34", "Europe/Madrid Atlantic/Canary"),
    ("36", "Europe/Budapest"),
    ("39", "Europe/Rome"),
    ("40", "Europe/Bucharest"),
    ("41", "Europe/Zurich"),
    ("43", "Europe/Vienna"),
    ("44", "Europe/London"),
    ("45", "Europe/Copenhagen"),
    ("46", "Europe/Stockholm"),
    ("47", "Europe/Oslo"),
    ("48", "Europe/Warsaw"),
    ("49", "Europe/Berlin"),
    ("51", "America/Lima"),
    ("52", "America/Mexico_City America/Tijuana America/Hermosillo America/Cancun"),
    ("53", "America/Havana"),
    ("54", "America/Argentina/Buenos_Aires"),
    ("55", "America/Sao_Paulo America/Manaus America/Rio_Branco America/Noronha"),
    (
        "5511 5512 5513 5514 5515 5516 5517 5518 5519 5521 5522 5524 5527 5531 5541 5548 5551 5561",
        "America/Sao_Paulo",
    ),
    ("56", "America/Santiago Pacific/Easter"),
    ("57", "America/Bogota"),
    ("58", "America/Caracas"),
    ("60", "Asia/Kuala_Lumpur"),
    ("61", "Australia/Sydney Australia/Brisbane Australia/Adelaide Australia/Darwin Australia/Perth"),
    ("612", "Australia/Sydney"),
    ("613", "Australia/Melbourne Australia/Hobart"),
    ("617", "Australia/Brisbane"),
    ("618", "Australia/Adelaide Australia/Darwin Australia/Perth"),
    ("62", "Asia/Jakarta Asia/Makassar Asia/Jayapura"),
    ("63", "Asia/Manila"),
    ("64", "Pacific/Auckland Pacific/Chatham"),
    ("65", "Asia/Singapore"),
    ("66", "Asia/Bangkok"),
    (
        "7",
        "Europe/Kaliningrad Europe/Moscow Asia/Yekaterinburg Asia/Novosibirsk Asia/Vladivostok Asia/Kamchatka",
    ),
    ("7495 7499 7498", "Europe/Moscow"),
    ("7812", "Europe/Moscow"),
    ("76 77", "Asia/Almaty"),
    ("81", "Asia/Tokyo"),
    ("82", "Asia/Seoul"),
    ("84", "Asia/Ho_Chi_Minh"),
    ("86", "Asia/Shanghai"),
    ("90", "Europe/Istanbul"),
    ("91", "Asia/Kolkata"),
    ("92", "Asia/Karachi"),
    ("93", "Asia/Kabul"),
    ("94", "Asia/Colombo"),
    ("95", "Asia/Yangon"),
    ("98", "Asia/Tehran"),
    ("212", "Africa/Casablanca"),
    ("213", "Africa/Algiers"),
    ("216", "Africa/Tunis"),
    ("218", "Africa/Tripoli"),
    ("221", "Africa/Dakar"),
    ("225", "Africa/Abidjan"),
    ("233", "Africa/Accra"),
    ("234", "Africa/Lagos"),
    ("251", "Africa/Addis_Ababa"),
    ("254", "Africa/Nairobi"),
    ("255", "Africa/Dar_es_Salaam"),
    ("256", "Africa/Kampala"),
    ("351", "Europe/Lisbon Atlantic/Azores"),
    ("352", "Europe/Luxembourg"),
    ("353", "Europe/Dublin"),
    ("354", "Atlantic/Reykjavik"),
    ("355", "Europe/Tirane"),
    ("356", "Europe/Malta"),
    ("357", "Asia/Nicosia"),
    ("358", "Europe/Helsinki"),
    ("359", "Europe/Sofia"),
    ("370", "Europe/Vilnius"),
    ("371", "Europe/Riga"),
    ("372", "Europe/Tallinn"),
    ("373", "Europe/Chisinau"),
    ("375", "Europe/Minsk"),
    ("377", "Europe/Monaco"),
    ("380", "Europe/Kyiv"),
    ("381", "Europe/Belgrade"),
    ("385", "Europe/Zagreb"),
    ("386", "Europe/Ljubljana"),
    ("387", "Europe/Sarajevo"),
    ("389", "Europe/Skopje"),
    ("420", "Europe/Prague"),
    ("421", "Europe/Bratislava"),
    ("423", "Europe/Vaduz"),
    ("852", "Asia/Hong_Kong"),
    ("853", "Asia/Macau"),
    ("880", "Asia/Dhaka"),
    ("886", "Asia/Taipei"),
    ("961", "Asia/Beirut"),
    ("962", "Asia/Amman"),
    ("965", "Asia/Kuwait"),
    ("966", "Asia/Riyadh"),
    ("971", "Asia/Dubai"),
    ("972", "Asia/Jerusalem"),
    ("974", "Asia/Qatar"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_named_here_is_known() {
        let named = AREAS.iter().map(|(zone, _)| *zone).chain(WORLD.iter().flat_map(|(_, z)| z.split(' ')));
        for zone in named {
            assert!(jiff::tz::TimeZone::get(zone).is_ok(), "{zone}");
        }
    }

    #[test]
    fn a_prefix_that_spans_zones_gives_all_of_them() {
        assert_eq!(zones("+12125551234"), ["America/New_York"]);
        assert_eq!(zones("+18505551234"), ["America/New_York", "America/Chicago"]);
        assert_eq!(zones("+8613812345678"), ["Asia/Shanghai"]);
        assert_eq!(zones("+61291234567"), ["Australia/Sydney"]);
        assert_eq!(zones("+61412345678").len(), 5);
        assert!(zones("+18005551234").is_empty(), "toll-free numbers have no place");
        assert!(zones("+88212345").is_empty());
    }

    #[test]
    fn a_list_may_narrow_a_zone_but_never_escape_it() {
        let florida = zones("+18505551234");
        assert_eq!(narrowed(&florida, Some("America/Chicago")), ["America/Chicago"]);
        assert_eq!(narrowed(&florida, None).len(), 2);
        let lied = narrowed(&zones("+12125551234"), Some("Asia/Tokyo"));
        assert_eq!(lied, ["America/New_York", "Asia/Tokyo"]);
    }
}
