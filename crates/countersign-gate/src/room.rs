//! Where connections are while they are in the handshake: so many, and no more.
//!
//! When the room is full, somebody who comes is let in and somebody who waits is sent out: the one that has waited
//! longest, of the address that has the most there. Those who never speak thus crowd each other out, and a genuine
//! client, who is through in two round trips, gets in all the while.
//!
//! An IPv6 client has 2⁶⁴ addresses at least, so that its network counts as one.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The room.
#[derive(Debug)]
pub(crate) struct Room {
    most: usize,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    count: usize,
    next: u64,
    /// The oldest first. An address with none has no entry.
    by_address: HashMap<IpAddr, VecDeque<(u64, oneshot::Sender<()>)>>,
}

/// A place in it. Given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    room: Arc<Room>,
    address: IpAddr,
    number: u64,
    sent_out: oneshot::Receiver<()>,
}

impl Room {
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.max(1), inside: Mutex::default() }
    }

    pub(crate) fn enter(self: &Arc<Self>, address: IpAddr) -> Seat {
        let address = network(address);
        let (send_out, sent_out) = oneshot::channel();
        let mut inside = self.lock();
        while inside.count >= self.most && inside.send_one_out() {}
        let number = inside.next;
        inside.next += 1;
        inside.count += 1;
        inside.by_address.entry(address).or_default().push_back((number, send_out));
        Seat { room: Arc::clone(self), address, number, sent_out }
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn send_one_out(&mut self) -> bool {
        // The one who has waited longest decides between addresses with equally many.
        let worst = self.by_address.iter().max_by_key(|(_, seats)| {
            (seats.len(), std::cmp::Reverse(seats.front().map_or(u64::MAX, |(number, _)| *number)))
        });
        let Some(address) = worst.map(|(address, _)| *address) else { return false };
        let Some(seats) = self.by_address.get_mut(&address) else { return false };
        let sent_out = seats.pop_front();
        if seats.is_empty() {
            self.by_address.remove(&address);
        }
        self.count = self.count.saturating_sub(1);
        let Some((_, send_out)) = sent_out else { return false };
        // Somebody who is just leaving does not hear it, and does not have to.
        let _ = send_out.send(());
        true
    }

    fn remove(&mut self, address: IpAddr, number: u64) {
        let Some(seats) = self.by_address.get_mut(&address) else { return };
        if let Ok(at) = seats.binary_search_by_key(&number, |(number, _)| *number) {
            seats.remove(at);
            self.count = self.count.saturating_sub(1);
        }
        if seats.is_empty() {
            self.by_address.remove(&address);
        }
    }
}

impl Seat {
    /// Waits until the place is needed for somebody else.
    pub(crate) async fn sent_out(&mut self) {
        // The room keeps the other end for as long as the seat is there.
        let _ = (&mut self.sent_out).await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.room.lock().remove(self.address, self.number);
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn is_out(seat: &mut Seat) -> bool {
        !matches!(seat.sent_out.try_recv(), Err(oneshot::error::TryRecvError::Empty))
    }

    #[test]
    fn the_oldest_of_the_address_with_the_most_goes() {
        let room = Arc::new(Room::new(4));
        let mut first = room.enter(v4(1));
        let mut crowd: Vec<_> = (0..3).map(|_| room.enter(v4(2))).collect();
        let mut next = room.enter(v4(3));
        assert!(!is_out(&mut first) && !is_out(&mut next));
        assert_eq!(crowd.iter_mut().map(is_out).collect::<Vec<_>>(), [true, false, false]);
        assert_eq!(room.lock().count, 4);
    }

    #[test]
    fn among_equals_the_oldest_goes() {
        let room = Arc::new(Room::new(2));
        let (mut one, mut two) = (room.enter(v4(1)), room.enter(v4(2)));
        let mut three = room.enter(v4(3));
        assert!(is_out(&mut one) && !is_out(&mut two) && !is_out(&mut three));
    }

    #[test]
    fn seats_are_given_back_and_counted_once() {
        let room = Arc::new(Room::new(3));
        let seats: Vec<_> = (0..10).map(|_| room.enter(v4(1))).collect();
        assert_eq!(room.lock().count, 3);
        drop(seats);
        let inside = room.lock();
        assert_eq!((inside.count, inside.by_address.len()), (0, 0));
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let at = |text: &str| network(text.parse().unwrap());
        assert_eq!(at("2001:db8::1"), at("2001:db8::ffff:0:0:2"));
        assert_ne!(at("2001:db8:0:1::1"), at("2001:db8:0:2::1"));
        assert_eq!(at("::ffff:192.0.2.7"), v4(7));
    }
}
