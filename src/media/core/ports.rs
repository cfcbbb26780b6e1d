//! The bound ports by number: which session is on each. Looked at for every packet, so found without a search. Decides
//! nothing.

/// Even ports of one range.
#[derive(Debug, Default)]
pub(super) struct Ports {
    /// The port of the first place.
    first: u16,
    places: Vec<Place>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Somebody else's, or beside the range.
    Unbound,
    Free,
    /// Slot of its session.
    Taken(usize),
}

impl Ports {
    /// Every one of them free.
    pub fn new(ports: impl IntoIterator<Item = u16>) -> Ports {
        let ports: Vec<u16> = ports.into_iter().collect();
        let mut table = Ports { first: ports.iter().copied().min().unwrap_or(0), places: Vec::new() };
        for port in ports {
            let place = usize::from(port.saturating_sub(table.first) / 2);
            if table.places.len() <= place {
                table.places.resize(place + 1, Place::Unbound);
            }
            table.set(port, Place::Free);
        }
        table
    }

    fn at(&self, port: u16) -> Place {
        let place = port.checked_sub(self.first).map(|n| usize::from(n / 2));
        place.and_then(|place| self.places.get(place)).copied().unwrap_or(Place::Unbound)
    }

    fn set(&mut self, port: u16, what: Place) {
        let place = port.checked_sub(self.first).map(|n| usize::from(n / 2));
        if let Some(place) = place.and_then(|place| self.places.get_mut(place)) {
            *place = what;
        }
    }

    /// Slot of the session on a port.
    pub fn session(&self, port: u16) -> Option<usize> {
        match self.at(port) {
            Place::Taken(slot) => Some(slot),
            Place::Unbound | Place::Free => None,
        }
    }

    /// Whether a session may begin there.
    pub fn is_free(&self, port: u16) -> bool {
        self.at(port) == Place::Free
    }

    /// A session begins on a free port.
    pub fn take(&mut self, port: u16, slot: usize) {
        if self.is_free(port) {
            self.set(port, Place::Taken(slot));
        }
    }

    /// Its session is over.
    pub fn release(&mut self, port: u16) {
        self.set(port, Place::Free);
    }

    /// The free ones in order.
    pub fn free(&self) -> impl Iterator<Item = u16> + '_ {
        let places = self.places.iter().enumerate().filter(|(_, place)| **place == Place::Free);
        places.filter_map(|(n, _)| self.first.checked_add(u16::try_from(n * 2).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_free_taken_and_free_again_and_what_is_not_bound_is_neither() {
        let mut ports = Ports::new([10_004, 10_000, 10_010]);
        assert_eq!(ports.free().collect::<Vec<_>>(), [10_000, 10_004, 10_010]);
        ports.take(10_004, 7);
        assert_eq!((ports.session(10_004), ports.is_free(10_004)), (Some(7), false));
        assert_eq!(ports.free().collect::<Vec<_>>(), [10_000, 10_010]);
        ports.release(10_004);
        assert!(ports.is_free(10_004));
        for port in [0, 9_998, 10_002, 10_012, u16::MAX] {
            ports.take(port, 1);
            assert_eq!((ports.session(port), ports.is_free(port)), (None, false), "{port}");
        }
    }

    #[test]
    fn the_last_port_there_is_can_be_used() {
        let mut ports = Ports::new([65_534]);
        ports.take(65_534, 3);
        assert_eq!(ports.session(65_534), Some(3));
        ports.release(65_534);
        assert_eq!(ports.free().collect::<Vec<_>>(), [65_534]);
    }
}
