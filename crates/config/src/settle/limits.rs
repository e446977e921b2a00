//! Numbers within their bounds: limits, times, sizes. There is no word for "none".

use crate::bounds::{self, Count, RateDefault, Text};
use crate::problem::Problems;
use crate::settled::{CallLimits, Limits, Pace, Period, Rate};
use crate::units::{self, UnitError};
use crate::written::{self, Rhythm, Size, Time};
use controls::N4_1;
use std::time::Duration;

/// The limits of the whole gateway.
pub(super) fn gateway(problems: &mut Problems, written: &written::Limits) -> Limits {
    let at = |name: &str| format!("limits.{name}");
    let base = CallLimits {
        source: default_rate(bounds::SOURCE),
        user: default_rate(bounds::USER),
        session: default_rate(bounds::SESSION),
        tool: default_rate(bounds::TOOL),
        resource: default_rate(bounds::RESOURCE),
        request_bytes: size(problems, "", None, bounds::REQUEST_BYTES),
        answer_bytes: size(problems, "", None, bounds::ANSWER_BYTES),
        depth: narrow(bounds::DEPTH.default),
        members: narrow(bounds::MEMBERS.default),
        body_time: time(problems, "", None, bounds::BODY_TIME),
    };
    let call = overridden(problems, "limits", written, &base);
    Limits {
        call,
        connections: number(
            problems,
            &at("connections"),
            written.connections,
            bounds::CONNECTIONS,
        ),
        header_bytes: size(
            problems,
            &at("header_bytes"),
            written.header_bytes.as_ref(),
            bounds::HEADER_BYTES,
        ),
        header_time: time(
            problems,
            &at("header_time"),
            written.header_time.as_ref(),
            bounds::HEADER_TIME,
        ),
    }
}

/// The limits of one route: those of the gateway, where it says nothing else.
pub(super) fn route(
    problems: &mut Problems,
    path: &str,
    written: &written::Limits,
    gateway: &CallLimits,
) -> CallLimits {
    let early = [
        ("connections", written.connections.is_some()),
        ("header_bytes", written.header_bytes.is_some()),
        ("header_time", written.header_time.is_some()),
    ];
    for (name, _) in early.into_iter().filter(|(_, said)| *said) {
        let message = "applies before it is known which route a request wants";
        let fix = format!("move it to the `limits` of the whole gateway: `limits.{name}`");
        problems.refuse(N4_1, &format!("{path}.{name}"), message, fix);
    }
    overridden(problems, path, written, gateway)
}

fn overridden(
    problems: &mut Problems,
    path: &str,
    written: &written::Limits,
    base: &CallLimits,
) -> CallLimits {
    let at = |name: &str| format!("{path}.{name}");
    CallLimits {
        source: rate(
            problems,
            &at("source"),
            written.source.as_ref(),
            base.source,
        ),
        user: rate(problems, &at("user"), written.user.as_ref(), base.user),
        session: rate(
            problems,
            &at("session"),
            written.session.as_ref(),
            base.session,
        ),
        tool: rate(problems, &at("tool"), written.tool.as_ref(), base.tool),
        resource: rate(
            problems,
            &at("resource"),
            written.resource.as_ref(),
            base.resource,
        ),
        request_bytes: written
            .request_bytes
            .as_ref()
            .map_or(base.request_bytes, |it| {
                size(
                    problems,
                    &at("request_bytes"),
                    Some(it),
                    bounds::REQUEST_BYTES,
                )
            }),
        answer_bytes: written
            .answer_bytes
            .as_ref()
            .map_or(base.answer_bytes, |it| {
                size(
                    problems,
                    &at("answer_bytes"),
                    Some(it),
                    bounds::ANSWER_BYTES,
                )
            }),
        depth: written.depth.map_or(base.depth, |it| {
            number(problems, &at("depth"), Some(it), bounds::DEPTH)
        }),
        members: written.members.map_or(base.members, |it| {
            number(problems, &at("members"), Some(it), bounds::MEMBERS)
        }),
        body_time: written.body_time.as_ref().map_or(base.body_time, |it| {
            time(problems, &at("body_time"), Some(it), bounds::BODY_TIME)
        }),
    }
}

fn rate(problems: &mut Problems, path: &str, written: Option<&written::Rate>, base: Rate) -> Rate {
    let Some(written) = written else { return base };
    let at = |name: &str| format!("{path}.{name}");
    Rate {
        rate: written.rate.as_ref().map_or(base.rate, |it| {
            pace(problems, &at("rate"), it).unwrap_or(base.rate)
        }),
        burst: written.burst.map_or(base.burst, |it| {
            number(problems, &at("burst"), Some(it), bounds::BURST)
        }),
        concurrent: written.concurrent.map_or(base.concurrent, |it| {
            number(problems, &at("concurrent"), Some(it), bounds::CONCURRENT)
        }),
    }
}

fn pace(problems: &mut Problems, path: &str, written: &Rhythm) -> Option<Pace> {
    // Paces are compared on one scale and kept as they were written.
    let per_hour = |text: &str| units::pace(text).map(Pace::per_hour);
    bounded(problems, path, written.as_str(), bounds::PACE, per_hour)?;
    units::pace(written.as_str()).ok()
}

/// A time within its bounds; the default where nothing was said.
pub(super) fn time(
    problems: &mut Problems,
    path: &str,
    written: Option<&Time>,
    bounds: Text,
) -> Duration {
    let text = written.map_or(bounds.default, Time::as_str);
    bounded(problems, path, text, bounds, units::time).unwrap_or_default()
}

/// A size within its bounds; the default where nothing was said.
pub(super) fn size(
    problems: &mut Problems,
    path: &str,
    written: Option<&Size>,
    bounds: Text,
) -> u64 {
    let text = written.map_or(bounds.default, Size::as_str);
    bounded(problems, path, text, bounds, units::size).unwrap_or_default()
}

/// A number within its bounds; the default where nothing was said.
pub(super) fn number(
    problems: &mut Problems,
    path: &str,
    written: Option<u64>,
    bounds: Count,
) -> u32 {
    let it = written.unwrap_or(bounds.default);
    let Count { least, most, .. } = bounds;
    let names = (&*least.to_string(), &*most.to_string());
    within(problems, path, (&it, &least, &most), names);
    narrow(it)
}

fn bounded<T: Ord>(
    problems: &mut Problems,
    path: &str,
    text: &str,
    bounds: Text,
    read: impl Fn(&str) -> Result<T, UnitError>,
) -> Option<T> {
    let Text { least, most, .. } = bounds;
    match (read(text), read(least), read(most)) {
        (Ok(it), Ok(low), Ok(high)) => {
            within(problems, path, (&it, &low, &high), (least, most));
            Some(it)
        }
        (Err(error), ..) | (_, Err(error), _) | (.., Err(error)) => {
            problems.refuse(None, path, error.to_string(), error.fix());
            None
        }
    }
}

/// Reports a number outside its bounds. A limit that lets nothing through or holds nothing back is a
/// slip.
fn within<T: PartialOrd>(
    problems: &mut Problems,
    path: &str,
    (it, least, most): (&T, &T, &T),
    (low, high): (&str, &str),
) {
    let message = if it < least {
        format!("is less than {low}")
    } else if it > most {
        format!("is more than {high}")
    } else {
        return;
    };
    let fix = format!("write something from {low} to {high}");
    problems.refuse(N4_1, path, message, fix);
}

fn default_rate(default: RateDefault) -> Rate {
    let RateDefault {
        rate,
        burst,
        concurrent,
    } = default;
    // INVARIANT: every default reads, shown by a test; the fallback is the slowest there is.
    let slowest = Pace {
        count: 1,
        period: Period::Hour,
    };
    Rate {
        rate: units::pace(rate).unwrap_or(slowest),
        burst: narrow(burst),
        concurrent: narrow(concurrent),
    }
}

fn narrow(number: u64) -> u32 {
    // INVARIANT: the most of every bound fits, shown by a test; more has been refused.
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_lies_within_its_bounds() {
        use bounds::*;
        fn fits<T: PartialOrd>(it: Text, read: impl Fn(&str) -> Result<T, UnitError>) {
            let [default, least, most] =
                [it.default, it.least, it.most].map(|text| match read(text) {
                    Ok(number) => number,
                    Err(error) => panic!("{text} {error}"),
                });
            assert!(least <= default && default <= most, "{it:?}");
        }
        for it in [
            LIFETIME,
            CLOCK_SKEW,
            TIMEOUT,
            SESSION_IDLE,
            SESSION_ABSOLUTE,
            PARKED_TIME,
            GATHER,
            HEADER_TIME,
            BODY_TIME,
            INTERVAL,
        ] {
            fits(it, units::time);
        }
        for it in [REQUEST_BYTES, ANSWER_BYTES, HEADER_BYTES, SEGMENT_BYTES] {
            fits(it, units::size);
        }
        fits(PACE, |text| units::pace(text).map(Pace::per_hour));
        for it in [
            SESSIONS_PER_USER,
            PARKED_PER_USER,
            BURST,
            CONCURRENT,
            DEPTH,
            MEMBERS,
            CONNECTIONS,
            CHECKPOINT_RECORDS,
        ] {
            assert!(it.least <= it.default && it.default <= it.most, "{it:?}");
            assert!(u32::try_from(it.most).is_ok(), "{it:?}");
        }
        for it in [SOURCE, USER, SESSION, TOOL, RESOURCE] {
            assert!(units::pace(it.rate).is_ok(), "{it:?}");
            assert_eq!(default_rate(it).rate.to_string(), it.rate);
        }
    }
}
