//! A small site for tests: three phones, two trunks, a queue, a flow, office hours.
use model::config::Config;
use model::config::budget::Limits;
use model::config::extension::{Agent, Extension, HotDesk, RecordPolicy, Rights, Voicemail};
use model::config::flow::{Flow, Say, Step};
use model::config::queue::{Music, Queue, Strategy};
use model::config::route::{Destination, Inbound, Outbound};
use model::config::system::{Audio, Features, Schedule, System, Voice};
use model::config::trunk::{NumberFormat, Transport, Trunk, TrunkKind};
use model::media::{Codec, Digit, Language};
use model::number::{Mask, Number};
use std::collections::BTreeMap;

/// Reads a number that is one.
pub fn number(text: &str) -> Number {
    Number::read(text).expect("a number")
}

fn mask(text: &str) -> Mask {
    Mask::read(text).expect("a mask")
}

/// A site in Berlin.
pub fn site() -> Config {
    let keyed = |list: Vec<Extension>| list.into_iter().map(|e| (e.number.clone(), e)).collect();
    Config {
        network: model::config::network::Network::default(),
        time: model::config::network::Time::default(),
        system: system(),
        mail: None,
        backup: None,
        retention: model::config::vault::Retention {
            recordings_days: 90,
            voicemail_days: 90,
            call_records_days: 365,
            alarm_percent: 80,
            full_percent: 90,
        },
        alarm: model::config::alarm::Alarm {
            mail_to: Vec::new(),
            webhook: None,
            webhook_secret: None,
            temperature_max_c: 80,
            disk_free_min_percent: 10,
            memory_free_min_percent: 10,
            load_max_percent: 300,
            trunk_down_s: 60,
            phones_lost_max: 5,
            certificate_min_days: 14,
            backup_age_max_h: 48,
        },
        budget: model::config::budget::Budget {
            stop: false,
            extension: Limits { national_min: 0, international_min: 240, premium_min: 5 },
            trunk: Limits::default(),
            site: Limits { national_min: 0, international_min: 1500, premium_min: 30 },
            schedule: None,
            closed_percent: 20,
            at_once: 2,
            warn_percent: 80,
        },
        feature: features(),
        audio: Audio {
            music: BTreeMap::from([("default".into(), Music::BuiltIn)]),
            paging: Some("hall".into()),
            prompt: BTreeMap::new(),
            voice: Some(Voice::Espeak),
            recogniser: None,
        },
        schedule: BTreeMap::from([("office".into(), office())]),
        extension: keyed(["101", "102", "103"].into_iter().map(extension).collect()),
        agent: BTreeMap::from([("1".into(), agent("1", "102")), ("2".into(), agent("2", "103"))]),
        trunk: BTreeMap::from([
            ("backup".into(), trunk("backup", 7)),
            ("carrier".into(), trunk("carrier", 6)),
        ]),
        inbound: vec![Inbound {
            name: "main".into(),
            trunk: None,
            number: mask("!"),
            class: None,
            caller: None,
            schedule: None,
            language: None,
            to: Destination::Flow("main".into()),
        }],
        outbound: vec![Outbound {
            name: "all".into(),
            number: mask("!"),
            strip: 0,
            prepend: String::new(),
            trunks: vec!["carrier".into(), "backup".into()],
            transit: false,
        }],
        distribution: model::config::queue::Distribution {
            ageing: true,
            head_start_s: 60,
            class: BTreeMap::new(),
            rule_places: 10,
            rule_rounding: model::rule::Rounding::HalfUp,
            reason: model::config::reason::usual(),
        },
        queue: BTreeMap::from([("support".into(), queue())]),
        flow: BTreeMap::from([("main".into(), flow())]),
        campaign: BTreeMap::new(),
    }
}

fn system() -> System {
    System {
        name: "Test".into(),
        country: "DE".into(),
        language: Language::En,
        time_zone: "Europe/Berlin".into(),
        outside_prefix: "0".into(),
        area_code: "30".into(),
        realm: "belfry".into(),
        sip_names: Vec::new(),
        md5_phones: vec!["baresip v1.".into(), "unnamed".into()],
        call_limit: 100,
        announce_recording: false,
        emergency_notify: Vec::new(),
        contact_page: None,
    }
}

fn features() -> Features {
    Features {
        echo: number("*43"),
        announcement: number("*44"),
        voicemail: number("*97"),
        agent_login: number("*50"),
        agent_ready: number("*51"),
        agent_pause: number("*52"),
        agent_wrap_up_done: number("*53"),
        agent_wrap_code: number("*54"),
        agent_wrap_extend: number("*55"),
        agent_campaigns: number("*56"),
        hot_desk: number("*58"),
        supervise: number("*60"),
        paging: number("*80"),
        record: number("*1"),
        record_pause: number("*2"),
    }
}

fn office() -> Schedule {
    let day = vec![(9 * 60, 17 * 60)];
    let closed = Vec::new();
    Schedule {
        name: "office".into(),
        week: [day.clone(), day.clone(), day.clone(), day.clone(), day, closed.clone(), closed],
        holidays: Vec::new(),
    }
}

fn extension(n: &str) -> Extension {
    Extension {
        number: number(n),
        name: format!("Phone {n}"),
        user: n.into(),
        password: format!("secret-{n}"),
        contact: None,
        language: None,
        outside_calls: Rights::National,
        caller_id: None,
        ring_timeout_s: 20,
        max_contacts: 5,
        sha256_only: false,
        hot_desk: HotDesk::Guests,
        budget: None,
        record: RecordPolicy::OnDemand,
        voicemail: Some(Voicemail {
            pin: "123456".into(),
            email: None,
            max_message_s: 120,
            max_messages: 50,
            shared: false,
        }),
        supervisor: false,
        location: None,
    }
}

fn agent(id: &str, at: &str) -> Agent {
    Agent {
        id: id.into(),
        name: format!("Agent {id}"),
        extension: number(at),
        always_on: false,
        skill: BTreeMap::new(),
    }
}

fn trunk(name: &str, last: u8) -> Trunk {
    Trunk {
        name: name.into(),
        kind: TrunkKind::Address,
        host: format!("192.0.2.{last}"),
        port: 5060,
        transport: Transport::Udp,
        domain: None,
        username: None,
        auth_username: None,
        password: None,
        addresses: Vec::new(),
        caller_id: Some(number("+49301000")),
        number_format: NumberFormat::E164,
        capacity: 10,
        register_expiry_s: 300,
        codecs: vec![Codec::Pcma, Codec::Pcmu],
        record: RecordPolicy::OnDemand,
        budget: None,
    }
}

fn queue() -> Queue {
    Queue {
        name: "support".into(),
        number: Some(number("600")),
        strategy: Strategy::LongestIdle,
        agents: vec!["1".into(), "2".into()],
        ring_timeout_s: 15,
        wrap_up_s: 0,
        pause_after_misses: 2,
        music: "default".into(),
        script: Vec::new(),
        announce_position_s: 0,
        max_wait_s: 60,
        max_waiting: 10,
        overflow_when_empty: false,
        overflow: Destination::Voicemail(number("101")),
        record: RecordPolicy::Always,
        service_level_s: 20,
        weight: BTreeMap::new(),
        priority: 0,
        share: 0,
        skill: Vec::new(),
        prefer: Vec::new(),
        prefer_wait_s: 0,
        designated: Vec::new(),
        overflow_rule: Vec::new(),
        announce_wait: false,
        wrap_codes: Vec::new(),
        wrap_code_required: false,
        wrap_extend_s: 60,
        callback: None,
        decide: None,
    }
}

fn flow() -> Flow {
    let menu = Step::Menu {
        say: vec![Say::BuiltIn("welcome".into())],
        option: BTreeMap::from([
            (Digit::try_from('1').expect("a key"), "queue".to_owned()),
            (Digit::try_from('2').expect("a key"), "phone".to_owned()),
        ]),
        words: BTreeMap::new(),
        timeout_s: 5,
        retries: 1,
        on_timeout: "bye".into(),
        on_invalid: "bye".into(),
    };
    Flow {
        name: "main".into(),
        number: Some(number("700")),
        start: "menu".into(),
        step: BTreeMap::from([
            ("menu".to_owned(), menu),
            ("queue".to_owned(), Step::Queue { queue: "support".into(), after: None }),
            ("phone".to_owned(), Step::Extension { number: Some(number("101")), otherwise: None }),
            ("bye".to_owned(), Step::HangUp { say: vec![Say::BuiltIn("goodbye".into())] }),
        ]),
    }
}
