//! Every way to damage a small ledger, tried one by one.

use super::*;
use crate::key::SigningKey;
use crate::ledger::Settings;
use crate::sample::{Sample, append, record, small, timeless};
use std::io::Read;

fn check(sample: &Sample) -> Result<Report, Broken> {
    verify(&sample.path(), &sample.public())
}

/// The lines of a file, each with its line break.
fn lines(path: &Path) -> Vec<Vec<u8>> {
    let content = fs::read(path).unwrap();
    content
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect()
}

/// A closed ledger of two segments, none compressed.
fn two_segments() -> Sample {
    let sample = Sample::new();
    let ledger = sample.open(Settings {
        segment_bytes: 1500,
        checkpoint_records: 2,
        ..timeless()
    });
    append(&ledger, 1..=3);
    let copy = sample.crashed();
    drop(ledger);
    // Opening again in a copy is the way to an uncompressed closed ledger: nothing races with it.
    copy.open(Settings {
        segment_bytes: 1500,
        ..Settings::default()
    })
    .close()
    .unwrap();
    for number in 1..=2 {
        if !copy.segment(number).exists() {
            unpack(&copy, number);
        }
    }
    copy
}

/// What a compressed segment holds.
fn unpacked(sample: &Sample, number: u32) -> Vec<u8> {
    let mut content = Vec::new();
    Source::open_packed(&sample.path(), number)
        .unwrap()
        .read_to_end(&mut content)
        .unwrap();
    content
}

fn unpack(sample: &Sample, number: u32) {
    fs::write(sample.segment(number), unpacked(sample, number)).unwrap();
    fs::remove_file(sample.path().join(segment::packed_name(number))).unwrap();
}

#[test]
fn counts_what_a_sound_ledger_holds() {
    let sample = Sample::closed(small(), 20);
    let report = check(&sample).unwrap();
    assert_eq!(
        (report.records, report.unsealed_tail, report.torn_tail),
        (20, 0, 0)
    );
    assert!(report.segments > 2 && report.checkpoints > 6, "{report:?}");
    assert_eq!(report.first.unwrap().seq, 1);
    assert_eq!(
        report.last.unwrap().seq,
        report.records + report.checkpoints
    );
}

#[test]
fn an_empty_directory_is_an_empty_ledger() {
    let sample = Sample::new();
    fs::create_dir(sample.path()).unwrap();
    assert_eq!(check(&sample).unwrap().records, 0);
}

#[test]
fn n5_1_every_flipped_byte_is_found() {
    let sample = two_segments();
    check(&sample).unwrap();
    let key = sample.public();
    for path in [
        sample.segment(1),
        sample.segment(2),
        sample.path().join(HEAD),
    ] {
        let sound = fs::read(&path).unwrap();
        for at in 0..sound.len() {
            for flip in [0x01, 0x20] {
                let mut flipped = sound.clone();
                flipped[at] ^= flip;
                fs::write(&path, &flipped).unwrap();
                let found = verify(&sample.path(), &key);
                assert!(
                    found.is_err(),
                    "byte {at} of {} changed by {flip}",
                    path.display()
                );
            }
        }
        fs::write(&path, &sound).unwrap();
    }
    check(&sample).unwrap();
}

/// Compressed, a few bits at the end of the stream mean nothing, and now and then one is as good either way,
/// where the same letters stand at two places; what they cannot do is change a single byte of what is read.
#[test]
fn n5_1_every_flipped_byte_of_a_compressed_segment_is_found_or_changes_nothing() {
    let sample = two_segments();
    sample.pack(1);
    let key = sample.public();
    let path = sample.path().join(segment::packed_name(1));
    let sound = fs::read(&path).unwrap();
    let content = unpacked(&sample, 1);
    let mut harmless = 0;
    for at in 0..sound.len() {
        for flip in [0x01, 0x08, 0x80] {
            let mut flipped = sound.clone();
            flipped[at] ^= flip;
            fs::write(&path, &flipped).unwrap();
            if verify(&sample.path(), &key).is_ok() {
                assert!(
                    unpacked(&sample, 1) == content,
                    "byte {at} changed by {flip}"
                );
                harmless += 1;
            }
        }
    }
    assert!(harmless <= 20, "{harmless} flipped bits were not found");
    for end in 0..sound.len() {
        fs::write(&path, &sound[..end]).unwrap();
        assert!(check(&sample).is_err(), "cut at {end}");
    }
    for more in [&b"\0"[..], b"x", &sound] {
        fs::write(&path, [&sound, more].concat()).unwrap();
        assert_eq!(check(&sample).unwrap_err().what, Flaw::Compressed);
    }
}

#[test]
fn n5_1_every_removed_line_is_found() {
    let sample = two_segments();
    for number in 1..=2 {
        damage(&sample, number, |lines, at| drop(lines.remove(at)));
    }
}

#[test]
fn n5_1_every_repeated_line_is_found() {
    let sample = two_segments();
    for number in 1..=2 {
        damage(&sample, number, |lines, at| {
            lines.insert(at, lines[at].clone())
        });
    }
}

#[test]
fn n5_1_every_pair_of_swapped_lines_is_found() {
    let sample = two_segments();
    for number in 1..=2 {
        let count = lines(&sample.segment(number)).len();
        for other in 0..count {
            damage(&sample, number, |lines, at| {
                if at == other {
                    lines.remove(at);
                } else {
                    lines.swap(at, other);
                }
            });
        }
    }
}

#[test]
fn n5_1_every_inserted_line_is_found() {
    let sample = two_segments();
    let other = two_segments();
    let foreign = lines(&other.segment(1));
    for number in 1..=2 {
        for line in foreign.iter().chain([&b"\n".to_vec(), &b"{}\n".to_vec()]) {
            damage(&sample, number, |lines, at| lines.insert(at, line.clone()));
        }
        damage(&sample, number, |lines, at| lines[at].push(b'\n'));
    }
}

/// Somebody without the key writes the rest of the chain anew, hashes and all.
#[test]
fn n5_1_a_rewritten_chain_is_found() {
    let sample = two_segments();
    let forged = Sample::new();
    let forger = SigningKey::ephemeral().unwrap();
    let ledger = crate::Ledger::open(&forged.path(), Settings::default(), forger).unwrap();
    append(&ledger, 1..=3);
    ledger.close().unwrap();
    let found = verify(&forged.path(), &sample.public()).unwrap_err();
    assert!(matches!(found.what, Flaw::Key { .. }), "{found}");
}

/// Somebody changes a record and gives its line the hash that it now has.
#[test]
fn n5_1_a_record_hashed_anew_is_found() {
    let sample = two_segments();
    let path = sample.segment(1);
    let mut changed = lines(&path);
    let mut link = Line::parse(changed[0].trim_ascii_end()).unwrap().link();
    let mut forged = Vec::new();
    link.write_record(&record(9), &mut forged);
    changed[1] = forged;
    fs::write(&path, changed.concat()).unwrap();
    assert_eq!(check(&sample).unwrap_err().what, Flaw::Previous);
}

/// Somebody changes a record and hashes all lines after it anew, but has no key to sign with.
#[test]
fn n5_1_a_chain_hashed_anew_is_found() {
    let sample = two_segments();
    let path = sample.segment(1);
    let forger = SigningKey::ephemeral().unwrap();
    let mut link = Link::START;
    let mut forged = Vec::new();
    for (number, line) in lines(&path).iter().enumerate() {
        match Line::parse(line.trim_ascii_end()).unwrap().piece {
            Piece::Record(_) => link.write_record(&record(number as u64), &mut forged),
            Piece::Checkpoint { .. } if number == 0 => {
                forged.extend_from_slice(line);
                link = Line::parse(line.trim_ascii_end()).unwrap().link();
            }
            Piece::Checkpoint { said, .. } => {
                let said = serde_json::from_slice(said).unwrap();
                link.write_checkpoint(&said, &forger, &mut forged);
            }
        }
    }
    fs::write(&path, forged).unwrap();
    assert_eq!(check(&sample).unwrap_err().what, Flaw::Signature);
}

/// Everything is signed by the right key, but it is another ledger's.
#[test]
fn n5_1_a_segment_of_another_ledger_of_the_same_key_is_found() {
    let (one, other) = (two_segments(), Sample::new());
    fs::copy(
        one.dir.path().join("ledger.key"),
        other.dir.path().join("ledger.key"),
    )
    .unwrap();
    let ledger = other.open(Settings {
        segment_bytes: 1500,
        checkpoint_records: 2,
        ..timeless()
    });
    append(&ledger, 11..=13);
    let other = other.crashed();
    if !other.segment(1).exists() {
        unpack(&other, 1);
    }
    fs::copy(other.segment(1), one.segment(1)).unwrap();
    assert_eq!(check(&one).unwrap_err().what, Flaw::Previous);
}

#[test]
fn n5_1_every_cut_is_found_in_a_closed_ledger() {
    let sample = two_segments();
    for number in 1..=2 {
        let path = sample.segment(number);
        let sound = fs::read(&path).unwrap();
        for end in 0..sound.len() {
            fs::write(&path, &sound[..end]).unwrap();
            assert!(check(&sample).is_err(), "segment {number} cut at {end}");
        }
        fs::write(&path, &sound).unwrap();
    }
    check(&sample).unwrap();
}

#[test]
fn n5_1_missing_swapped_and_added_files_are_found() {
    let sample = two_segments();
    let (one, two) = (sample.segment(1), sample.segment(2));
    let (first, second) = (fs::read(&one).unwrap(), fs::read(&two).unwrap());
    let expect = |expected: Flaw, change: &dyn Fn()| {
        change();
        assert_eq!(check(&sample).unwrap_err().what, expected);
        fs::write(&one, &first).unwrap();
        fs::write(&two, &second).unwrap();
        let _ = fs::remove_file(sample.segment(3));
        check(&sample).unwrap();
    };
    let remove = |path: &Path| fs::remove_file(path).unwrap();
    expect(Flaw::SegmentMissing, &|| remove(&one));
    expect(
        Flaw::Truncated {
            seq: head_seq(&sample),
        },
        &|| remove(&two),
    );
    expect(
        Flaw::Truncated {
            seq: head_seq(&sample),
        },
        &|| {
            remove(&one);
            remove(&two);
        },
    );
    expect(Flaw::Segment { said: 1 }, &|| {
        assert!(fs::copy(&one, &two).unwrap() > 0)
    });
    expect(Flaw::Unsealed, &|| {
        fs::write(sample.segment(3), b"").unwrap()
    });
    let head = fs::read(sample.path().join(HEAD)).unwrap();
    remove(&sample.path().join(HEAD));
    assert_eq!(check(&sample).unwrap_err().what, Flaw::Head);
    fs::write(sample.path().join(HEAD), &head).unwrap();
    check(&sample).unwrap();
}

#[test]
fn n5_1_two_forms_of_a_segment_have_to_agree() {
    let sample = two_segments();
    let content = fs::read(sample.segment(1)).unwrap();
    sample.pack(1);
    fs::write(sample.segment(1), &content).unwrap();
    check(&sample).unwrap();
    let other = two_segments();
    other.pack(1);
    let name = segment::packed_name(1);
    fs::copy(other.path().join(&name), sample.path().join(&name)).unwrap();
    assert_eq!(check(&sample).unwrap_err().what, Flaw::Differs);
}

#[test]
fn verifies_while_it_is_written() {
    let sample = Sample::new();
    let ledger = sample.open(Settings {
        checkpoint_records: 10,
        ..small()
    });
    for number in 1..=60 {
        append(&ledger, [number]);
        let report = check(&sample).unwrap();
        assert_eq!(report.records, number);
    }
    ledger.close().unwrap();
}

#[test]
fn says_where_and_what() {
    let sample = two_segments();
    let path = sample.segment(1);
    let mut all = lines(&path);
    let text = String::from_utf8(all[1].clone())
        .unwrap()
        .replace("call-1", "call-9");
    all[1] = text.into_bytes();
    fs::write(&path, all.concat()).unwrap();
    assert_eq!(
        check(&sample).unwrap_err().to_string(),
        "`ledger-000001.jsonl`, line 2 (after number 1) was changed: the line does not have the hash it states"
    );
}

/// Applies `change` at every line of a segment; each time it has to be found.
fn damage(sample: &Sample, number: u32, change: impl Fn(&mut Vec<Vec<u8>>, usize)) {
    let path = sample.segment(number);
    let sound = lines(&path);
    for at in 0..sound.len() {
        let mut changed = sound.clone();
        change(&mut changed, at);
        fs::write(&path, changed.concat()).unwrap();
        assert!(check(sample).is_err(), "segment {number}, line {}", at + 1);
    }
    fs::write(&path, sound.concat()).unwrap();
    check(sample).unwrap();
}

fn head_seq(sample: &Sample) -> u64 {
    let head = read_head(&sample.path(), &sample.public())
        .unwrap()
        .unwrap();
    head.link.seq
}
