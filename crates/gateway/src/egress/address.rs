//! Which addresses may be connected to. Pure: it decides, and connects to nothing.
//!
//! A public destination may only be a globally reachable unicast address; for IPv6 that is what is
//! allowed (`2000::/3` less the special blocks), never what is forbidden, so an address form nobody
//! thought of is refused. A private destination may also be a private or loopback address, but
//! never link-local, multicast or a cloud's metadata service: no operator means those.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where a destination is allowed to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Network {
    /// Globally reachable addresses only.
    Public,
    /// Private and loopback addresses too.
    Private,
}

impl Network {
    /// Whether a destination on this network may be at `address`.
    pub fn admit(self, address: IpAddr) -> Result<(), ForbiddenAddress> {
        let kind = match address {
            IpAddr::V4(address) => kind_v4(address),
            IpAddr::V6(address) => kind_v6(address),
        };
        match (kind, self) {
            (Kind::Global, _)
            | (Kind::Carrier | Kind::Loopback | Kind::Private, Network::Private) => Ok(()),
            _ => Err(ForbiddenAddress { address, kind }),
        }
    }
}

/// What an address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Shared by carriers (100.64.0.0/10).
    Carrier,
    /// Holds an IPv4 address in a form that hides it.
    Embedded,
    Global,
    LinkLocal,
    Loopback,
    /// Where clouds hand credentials to whoever asks.
    Metadata,
    Multicast,
    Private,
    /// Documentation, benchmarks, and whatever is not assigned.
    Reserved,
    Unspecified,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Carrier => "shared by carriers",
            Kind::Embedded => "an IPv4 address in disguise",
            Kind::Global => "global",
            Kind::LinkLocal => "link-local",
            Kind::Loopback => "loopback",
            Kind::Metadata => "a metadata service",
            Kind::Multicast => "multicast",
            Kind::Private => "private",
            Kind::Reserved => "reserved",
            Kind::Unspecified => "unspecified",
        })
    }
}

/// An address that a destination may not be at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("address `{address}` is {kind}")]
pub struct ForbiddenAddress {
    pub address: IpAddr,
    pub kind: Kind,
}

/// Blocks of IPv4 that are not globally reachable: first address, prefix length, kind. The first
/// row that holds an address decides.
const BLOCKS_V4: &[([u8; 4], u32, Kind)] = &[
    ([169, 254, 169, 254], 32, Kind::Metadata),
    ([169, 254, 170, 2], 32, Kind::Metadata),
    ([100, 100, 100, 200], 32, Kind::Metadata),
    ([168, 63, 129, 16], 32, Kind::Metadata),
    ([192, 0, 0, 192], 32, Kind::Metadata),
    ([0, 0, 0, 0], 32, Kind::Unspecified),
    ([0, 0, 0, 0], 8, Kind::Reserved),
    ([10, 0, 0, 0], 8, Kind::Private),
    ([100, 64, 0, 0], 10, Kind::Carrier),
    ([127, 0, 0, 0], 8, Kind::Loopback),
    ([169, 254, 0, 0], 16, Kind::LinkLocal),
    ([172, 16, 0, 0], 12, Kind::Private),
    ([192, 0, 0, 0], 24, Kind::Reserved),
    ([192, 0, 2, 0], 24, Kind::Reserved),
    ([192, 31, 196, 0], 24, Kind::Reserved),
    ([192, 52, 193, 0], 24, Kind::Reserved),
    ([192, 88, 99, 0], 24, Kind::Embedded),
    ([192, 168, 0, 0], 16, Kind::Private),
    ([192, 175, 48, 0], 24, Kind::Reserved),
    ([198, 18, 0, 0], 15, Kind::Reserved),
    ([198, 51, 100, 0], 24, Kind::Reserved),
    ([203, 0, 113, 0], 24, Kind::Reserved),
    ([224, 0, 0, 0], 4, Kind::Multicast),
    ([240, 0, 0, 0], 4, Kind::Reserved),
];

/// Blocks of IPv6, as for IPv4; what no row holds is reserved.
const BLOCKS_V6: &[([u16; 8], u32, Kind)] = &[
    ([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128, Kind::Metadata),
    ([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128, Kind::Metadata),
    ([0, 0, 0, 0, 0, 0, 0, 0], 128, Kind::Unspecified),
    ([0, 0, 0, 0, 0, 0, 0, 1], 128, Kind::Loopback),
    // IPv4-compatible, -mapped and -translated; NAT64, 6to4, Teredo, ORCHID.
    ([0, 0, 0, 0, 0, 0, 0, 0], 32, Kind::Embedded),
    ([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 32, Kind::Embedded),
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, Kind::Embedded),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, Kind::Embedded),
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, Kind::Reserved),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, Kind::Reserved),
    ([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48, Kind::Reserved),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, Kind::Reserved),
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, Kind::Private),
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, Kind::LinkLocal),
    ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, Kind::Multicast),
    ([0x2000, 0, 0, 0, 0, 0, 0, 0], 3, Kind::Global),
];

fn kind_v4(address: Ipv4Addr) -> Kind {
    let bits = address.to_bits();
    BLOCKS_V4
        .iter()
        .find(|(first, prefix, _)| {
            let differing = bits ^ Ipv4Addr::from(*first).to_bits();
            differing.leading_zeros() >= *prefix
        })
        .map_or(Kind::Global, |(_, _, kind)| *kind)
}

fn kind_v6(address: Ipv6Addr) -> Kind {
    let bits = address.to_bits();
    BLOCKS_V6
        .iter()
        .find(|(first, prefix, _)| {
            let differing = bits ^ Ipv6Addr::from(*first).to_bits();
            differing.leading_zeros() >= *prefix
        })
        .map_or(Kind::Reserved, |(_, _, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(network: Network, address: &str, expected: Option<Kind>) {
        let judged = network.admit(address.parse().unwrap());
        assert_eq!(
            judged.err().map(|f| f.kind),
            expected,
            "{address} on {network:?}"
        );
    }

    #[test]
    fn n10_3_admits_only_global_addresses_to_a_public_destination() {
        for (address, expected) in [
            ("1.1.1.1", None),
            ("9.255.255.255", None),
            ("11.0.0.0", None),
            ("100.63.255.255", None),
            ("100.128.0.0", None),
            ("126.255.255.255", None),
            ("128.0.0.0", None),
            ("172.15.255.255", None),
            ("172.32.0.0", None),
            ("192.167.255.255", None),
            ("192.169.0.0", None),
            ("223.255.255.255", None),
            ("2606:4700::1111", None),
            ("2a00::1", None),
            ("0.0.0.0", Some(Kind::Unspecified)),
            ("0.1.2.3", Some(Kind::Reserved)),
            ("10.0.0.1", Some(Kind::Private)),
            ("10.255.255.255", Some(Kind::Private)),
            ("100.64.0.0", Some(Kind::Carrier)),
            ("100.127.255.255", Some(Kind::Carrier)),
            ("100.100.100.200", Some(Kind::Metadata)),
            ("127.0.0.1", Some(Kind::Loopback)),
            ("127.255.255.254", Some(Kind::Loopback)),
            ("168.63.129.16", Some(Kind::Metadata)),
            ("169.254.0.1", Some(Kind::LinkLocal)),
            ("169.254.169.254", Some(Kind::Metadata)),
            ("172.16.0.1", Some(Kind::Private)),
            ("172.31.255.255", Some(Kind::Private)),
            ("192.0.0.8", Some(Kind::Reserved)),
            ("192.0.2.1", Some(Kind::Reserved)),
            ("192.88.99.1", Some(Kind::Embedded)),
            ("192.168.1.1", Some(Kind::Private)),
            ("198.18.0.1", Some(Kind::Reserved)),
            ("198.19.255.255", Some(Kind::Reserved)),
            ("203.0.113.9", Some(Kind::Reserved)),
            ("224.0.0.1", Some(Kind::Multicast)),
            ("239.255.255.255", Some(Kind::Multicast)),
            ("240.0.0.1", Some(Kind::Reserved)),
            ("255.255.255.255", Some(Kind::Reserved)),
            ("::", Some(Kind::Unspecified)),
            ("::1", Some(Kind::Loopback)),
            ("::2", Some(Kind::Embedded)),
            ("::127.0.0.1", Some(Kind::Embedded)),
            ("::ffff:127.0.0.1", Some(Kind::Embedded)),
            ("::ffff:1.1.1.1", Some(Kind::Embedded)),
            ("::ffff:0:127.0.0.1", Some(Kind::Embedded)),
            ("64:ff9b::a9fe:a9fe", Some(Kind::Embedded)),
            ("64:ff9b:1::7f00:1", Some(Kind::Embedded)),
            ("100::1", Some(Kind::Reserved)),
            ("2001::1", Some(Kind::Embedded)),
            ("2001:2::1", Some(Kind::Reserved)),
            ("2001:20::1", Some(Kind::Reserved)),
            ("2001:db8::1", Some(Kind::Reserved)),
            ("2002:7f00:1::", Some(Kind::Embedded)),
            ("3fff::1", Some(Kind::Reserved)),
            ("4000::1", Some(Kind::Reserved)),
            ("5f00::1", Some(Kind::Reserved)),
            ("fc00::1", Some(Kind::Private)),
            ("fd12:3456::1", Some(Kind::Private)),
            ("fd00:ec2::254", Some(Kind::Metadata)),
            ("fe80::1", Some(Kind::LinkLocal)),
            ("fec0::1", Some(Kind::Reserved)),
            ("ff02::1", Some(Kind::Multicast)),
        ] {
            check(Network::Public, address, expected);
        }
    }

    #[test]
    fn n10_3_never_admits_metadata_services_or_disguises() {
        for (address, expected) in [
            ("127.0.0.1", None),
            ("::1", None),
            ("10.1.2.3", None),
            ("172.16.5.4", None),
            ("192.168.0.1", None),
            ("100.64.0.1", None),
            ("fd12:3456::1", None),
            ("1.1.1.1", None),
            ("0.0.0.0", Some(Kind::Unspecified)),
            ("::", Some(Kind::Unspecified)),
            ("169.254.169.254", Some(Kind::Metadata)),
            ("169.254.170.2", Some(Kind::Metadata)),
            ("100.100.100.200", Some(Kind::Metadata)),
            ("fd00:ec2::254", Some(Kind::Metadata)),
            ("fd20:ce::254", Some(Kind::Metadata)),
            ("169.254.1.1", Some(Kind::LinkLocal)),
            ("fe80::1", Some(Kind::LinkLocal)),
            ("::ffff:169.254.169.254", Some(Kind::Embedded)),
            ("64:ff9b::a9fe:a9fe", Some(Kind::Embedded)),
            ("2002:a9fe:a9fe::", Some(Kind::Embedded)),
            ("224.0.0.1", Some(Kind::Multicast)),
            ("255.255.255.255", Some(Kind::Reserved)),
        ] {
            check(Network::Private, address, expected);
        }
    }
}
