//! Who hears whom in a conversation: a pure function of its parties, and the words for media when that changes. Two who hear
//! only each other are joined, so that their packets are passed on as they come; everything else is mixed or music.
use super::super::ringing::RING_BACK;
use crate::call::{Out, Side};
use model::id::SessionId;
use model::media::{MediaCommand, Sound};
use std::collections::BTreeMap;

/// What somebody besides the two is in the call for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Asked by this side; the other side hears music.
    Asked(Side),
    /// Speaks with everybody; `true`: a supervisor.
    Member(bool),
    /// Hears everybody.
    Listens,
    /// Hears everybody, heard by the agent's side.
    Whispers,
    /// Takes the agent's place as soon as the phone is answered.
    Replaces,
}

/// What a peer hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hears {
    /// The other one of the pair.
    Partner,
    /// Music on hold.
    Music,
    /// Ring-back: somebody is being rung for this peer.
    Ringing,
    /// The sum of these; nobody: silence.
    These(Vec<SessionId>),
}

/// Who hears what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Who is joined.
    pair: Option<(SessionId, SessionId)>,
    ears: BTreeMap<SessionId, Hears>,
}

/// The parties as the plan needs them.
#[derive(Clone, Debug)]
pub struct Parties {
    /// Caller and called.
    pub two: [SessionId; 2],
    /// Whether each holds the other.
    pub holds: [bool; 2],
    /// Who is coached.
    pub agent: Side,
    /// A third party that this side asks for is still being rung.
    pub rings_for: Option<Side>,
    /// The others who are there.
    pub others: Vec<(SessionId, Role)>,
}

impl Parties {
    /// What each of them hears.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let asked = self.others.iter().find_map(|(s, r)| match r {
            Role::Asked(side) => Some((*s, *side)),
            Role::Member(_) | Role::Listens | Role::Whispers | Role::Replaces => None,
        });
        let mut ears = BTreeMap::new();
        for side in [Side::Caller, Side::Called] {
            ears.insert(self.of(side), self.side_hears(side, asked));
        }
        for (session, role) in &self.others {
            ears.insert(*session, self.other_hears(*session, *role));
        }
        let pair = match asked {
            Some((guest, side)) => Some((self.of(side), guest)),
            None => Some((self.two[0], self.two[1])),
        };
        let mut plan = Plan { pair: None, ears };
        plan.pair = pair.filter(|(a, b)| plan.alone(*a, *b) || plan.alone(*b, *a));
        if let Some((a, b)) = plan.pair {
            plan.shorten(a, b);
            plan.shorten(b, a);
        }
        plan
    }

    fn of(&self, side: Side) -> SessionId {
        self.two[index(side)]
    }

    fn side_hears(&self, side: Side, asked: Option<(SessionId, Side)>) -> Hears {
        let other = self.of(side.other());
        let coached = side == self.agent;
        let mut heard = match (asked, self.rings_for) {
            (Some((guest, by)), _) if by == side => vec![guest],
            (None, Some(by)) if by == side => return Hears::Ringing,
            (Some(_), _) | (None, Some(_)) => return Hears::Music,
            (None, None) if self.holds[index(side.other())] => {
                let rest = self.members();
                if rest.is_empty() {
                    return Hears::Music;
                }
                rest
            }
            (None, None) if self.holds[index(side)] => Vec::new(),
            (None, None) => std::iter::once(other).chain(self.members()).collect(),
        };
        let whispers = |(s, r): &(SessionId, Role)| (*r == Role::Whispers).then_some(*s);
        heard.extend(self.others.iter().filter_map(whispers).filter(|_| coached));
        Hears::These(heard)
    }

    fn other_hears(&self, session: SessionId, role: Role) -> Hears {
        let talking = |side: Side| (!self.holds[index(side)]).then_some(self.of(side));
        match role {
            Role::Asked(side) => Hears::These(vec![self.of(side)]),
            Role::Member(_) => {
                let two = [Side::Caller, Side::Called].into_iter().filter_map(talking);
                Hears::These(two.chain(self.members().into_iter().filter(|s| *s != session)).collect())
            }
            Role::Listens | Role::Whispers => {
                let there = self.others.iter().filter(|(_, r)| matches!(r, Role::Asked(_) | Role::Member(_)));
                Hears::These(self.two.iter().copied().chain(there.map(|(s, _)| *s)).collect())
            }
            Role::Replaces => Hears::These(Vec::new()),
        }
    }

    fn members(&self) -> Vec<SessionId> {
        self.others.iter().filter(|(_, r)| matches!(r, Role::Member(_))).map(|(s, _)| *s).collect()
    }
}

impl Plan {
    /// Whether `a` hears exactly `b`.
    fn alone(&self, a: SessionId, b: SessionId) -> bool {
        self.ears.get(&a) == Some(&Hears::These(vec![b]))
    }

    /// Whom `session` talks with packet by packet.
    #[must_use]
    pub fn partner(&self, session: SessionId) -> Option<SessionId> {
        match self.pair? {
            (a, b) if a == session => Some(b),
            (a, b) if b == session => Some(a),
            _ => None,
        }
    }

    fn shorten(&mut self, a: SessionId, b: SessionId) {
        if self.alone(a, b) {
            self.ears.insert(a, Hears::Partner);
        }
    }

    /// Tells media what is different from `before`.
    pub fn tell(&self, before: &Plan, out: &mut Out) {
        let is_new = |s: &SessionId| self.ears.get(s) != before.ears.get(s);
        let back = self.ears.iter().any(|(s, h)| *h == Hears::Partner && is_new(s));
        let rejoined = self.pair != before.pair || back;
        if let Some((a, b)) = before.pair.filter(|p| self.pair != Some(*p)) {
            // Parting one parts both; a session that is gone was parted when it closed.
            if let Some(session) = [a, b].into_iter().find(|s| self.ears.contains_key(s)) {
                out.media(MediaCommand::Part { session });
            }
        }
        if let Some((a, b)) = self.pair.filter(|_| rejoined) {
            out.media(MediaCommand::Join { a, b });
        }
        let paired = |s: &SessionId| self.pair.is_some_and(|(a, b)| *s == a || *s == b);
        for (session, hears) in &self.ears {
            if is_new(session) || (rejoined && paired(session)) {
                hears.tell(*session, out);
            }
        }
    }
}

impl Hears {
    fn tell(&self, session: SessionId, out: &mut Out) {
        match self {
            Hears::Partner => {}
            Hears::Music => drop(out.play(session, vec![Sound::Music("default".into())], true, false)),
            Hears::Ringing => drop(out.play(session, vec![RING_BACK], true, false)),
            Hears::These(from) => out.media(MediaCommand::Mix { session, from: from.clone() }),
        }
    }
}

/// Place of a side in a pair.
pub fn index(side: Side) -> usize {
    match side {
        Side::Caller => 0,
        Side::Called => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: SessionId = SessionId(1);
    const B: SessionId = SessionId(2);
    const C: SessionId = SessionId(3);
    const S: SessionId = SessionId(4);

    fn parties(others: &[(SessionId, Role)]) -> Parties {
        Parties {
            two: [A, B],
            holds: [false; 2],
            agent: Side::Called,
            rings_for: None,
            others: others.to_vec(),
        }
    }

    fn heard(plan: &Plan) -> Vec<(u64, Hears)> {
        plan.ears.iter().map(|(s, h)| (s.0, h.clone())).collect()
    }

    fn these(from: &[SessionId]) -> Hears {
        Hears::These(from.to_vec())
    }

    #[test]
    fn a_table_of_who_hears_whom() {
        use Hears::{Music, Partner, Ringing};
        let two = Some((A, B));
        let held = |by: usize, others| {
            let mut parties: Parties = others;
            parties.holds[by] = true;
            parties
        };
        let table = [
            ("talk", parties(&[]), two, vec![Partner, Partner]),
            ("the called holds", held(1, parties(&[])), None, vec![Music, these(&[])]),
            ("the caller holds", held(0, parties(&[])), None, vec![these(&[]), Music]),
            (
                "somebody is rung to be asked",
                Parties { rings_for: Some(Side::Called), ..parties(&[]) },
                None,
                vec![Music, Ringing],
            ),
            (
                "asked",
                parties(&[(C, Role::Asked(Side::Called))]),
                Some((B, C)),
                vec![Music, Partner, Partner],
            ),
            (
                "conference",
                parties(&[(C, Role::Member(false))]),
                None,
                vec![these(&[B, C]), these(&[A, C]), these(&[A, B])],
            ),
            ("listen", parties(&[(S, Role::Listens)]), two, vec![Partner, Partner, these(&[A, B])]),
            ("whisper", parties(&[(S, Role::Whispers)]), two, vec![Partner, these(&[A, S]), these(&[A, B])]),
            (
                "whisper while asking",
                parties(&[(C, Role::Asked(Side::Called)), (S, Role::Whispers)]),
                Some((B, C)),
                vec![Music, these(&[C, S]), Partner, these(&[A, B, C])],
            ),
            (
                "one holds in a conference",
                held(1, parties(&[(C, Role::Member(false))])),
                None,
                vec![these(&[C]), these(&[]), these(&[A])],
            ),
            ("coming to take over", parties(&[(S, Role::Replaces)]), two, vec![Partner, Partner, these(&[])]),
        ];
        for (name, parties, pair, ears) in table {
            let plan = parties.plan();
            assert_eq!(plan.pair, pair, "{name}");
            assert_eq!(heard(&plan).into_iter().map(|(_, h)| h).collect::<Vec<_>>(), ears, "{name}");
        }
    }

    #[test]
    fn a_whisper_never_reaches_anybody_but_the_agent_and_nobody_hears_themselves() {
        let roles = [
            None,
            Some(Role::Asked(Side::Caller)),
            Some(Role::Asked(Side::Called)),
            Some(Role::Member(false)),
            Some(Role::Listens),
        ];
        for (role, holds) in roles.iter().flat_map(|r| (0..4).map(move |h| (*r, [h & 1 == 1, h & 2 == 2]))) {
            let others: Vec<_> = role.map(|r| (C, r)).into_iter().chain([(S, Role::Whispers)]).collect();
            let plan = Parties { holds, ..parties(&others) }.plan();
            for (session, hears) in &plan.ears {
                let Hears::These(from) = hears else { continue };
                assert!(!from.contains(session), "{role:?} {holds:?}: {session} hears itself");
                assert!(
                    *session == B || !from.contains(&S),
                    "{role:?} {holds:?}: {session} hears the whisper"
                );
            }
            assert!(plan.pair.is_none_or(|(a, b)| a != S && b != S));
        }
    }
}
