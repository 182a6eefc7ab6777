//! Memory at rest. A start runs through most of the program's code once (parsers, checks, set-up), and the kernel keeps all of
//! it mapped, as if it were in use, for as long as the process lives. Given back, it is the first that makes room when
//! memory is short; what is still needed is mapped again in microseconds.

use std::ops::Range;
use std::time::Duration;

use rustix::mm::{Advice, madvise};

/// By then the platforms are connected, and what they said of themselves is read.
const SETTLED: Duration = Duration::from_secs(3);

/// Gives back what only the start needed: at once, and when the start has settled.
pub async fn give_back() {
    give_back_mapped();
    tokio::time::sleep(SETTLED).await;
    give_back_mapped();
}

/// Gives back the code and the constants that are mapped. Where that cannot be done the program is as good, only larger.
fn give_back_mapped() {
    let maps = match std::fs::read_to_string("/proc/self/smaps") {
        Ok(maps) => maps,
        Err(error) => {
            tracing::debug!(%error, "what the start needed stays in memory");
            return;
        }
    };
    for as_in_file in as_in_file(&maps) {
        #[expect(unsafe_code, reason = "the one call that gives memory back has no safe form")]
        // SAFETY: the range is mapped from a file, may not be written, and none of its pages ever was (not by the loader
        // either: what it relocates is anonymous memory), so it is mapped again as it is in the file when it is next used.
        let given = unsafe {
            let (start, length) = (as_in_file.start as *mut _, as_in_file.len());
            madvise(start, length, Advice::LinuxDontNeed)
        };
        if let Err(error) = given {
            tracing::debug!(%error, "what the start needed stays in memory");
        }
    }
}

/// What is mapped from files, cannot be written, and was not written before that became so. `maps` is what proc(5) says of
/// smaps.
fn as_in_file(maps: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    // Of the mapping that is read: where it lies, if it may count, and how many of the two sizes are nought.
    let mut read = (None, 0);
    for line in maps.lines() {
        let mut fields = line.split_ascii_whitespace();
        let (Some(first), Some(second)) = (fields.next(), fields.next()) else {
            continue;
        };
        match first {
            // A page that was written and is swapped out is no longer counted as anonymous.
            "Anonymous:" | "Swap:" if second == "0" => read.1 += 1,
            _ if first.ends_with(':') => {}
            _ => {
                let of_file = fields.nth(3).is_some_and(|file| file.starts_with('/'));
                let fixed = matches!(second, "r-xp" | "r--p");
                read = (range(first).filter(|_| of_file && fixed), 0);
            }
        }
        if let (Some(mapped), 2) = &read {
            found.push(mapped.clone());
            read = (None, 0);
        }
    }
    found
}

fn range(text: &str) -> Option<Range<usize>> {
    let (start, end) = text.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    Some(address(start)?..address(end)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
55cc15e4a000-55cc1680e000 r--p 00000000 fe:00 10292156                   /usr/bin/orderly
Rss:                6444 kB
Anonymous:             0 kB
Swap:                  0 kB
VmFlags: rd mr mw me
55cc1680e000-55cc18343000 r-xp 009c3000 fe:00 10292156                   /usr/bin/orderly
Rss:                7928 kB
Anonymous:             0 kB
Swap:                  0 kB
55cc18343000-55cc18544000 r--p 024f7000 fe:00 10292156                   /usr/bin/orderly
Rss:                2052 kB
Anonymous:          2052 kB
Swap:                  0 kB
55cc19049000-55cc195b9000 rw-p 00000000 00:00 0                          [heap]
Anonymous:             0 kB
Swap:                  0 kB
7f162e057000-7f162e1ad000 r-xp 00026000 fe:00 326279                     /usr/lib/x86_64-linux-gnu/libc.so.6
Anonymous:             0 kB
Swap:                  0 kB
7f162e1ad000-7f162e1af000 r--p 0017c000 fe:00 326279                     /usr/lib/x86_64-linux-gnu/libc.so.6
Anonymous:             0 kB
Swap:                  8 kB
7f162e1af000-7f162e1b0000 rw-s 00000000 fe:00 326280                     /srv/orderly.sqlite-shm
Anonymous:             0 kB
Swap:                  0 kB
7f162e1b0000-7f162e1b1000 r-xp 00000000 00:00 0
Anonymous:             0 kB
Swap:                  0 kB
7ffc8a7f2000-7ffc8a7f4000 r-xp 00000000 00:00 0                          [vdso]
Anonymous:             0 kB
Swap:                  0 kB
";

    #[test]
    fn only_what_is_as_it_is_in_a_file_is_given_back() {
        let expected = [
            0x55cc_15e4_a000..0x55cc_1680_e000,
            0x55cc_1680_e000..0x55cc_1834_3000,
            0x7f16_2e05_7000..0x7f16_2e1a_d000,
        ];
        assert_eq!(as_in_file(MAPS), expected);
    }

    #[test]
    fn what_was_given_back_is_there_as_before() {
        let known = || std::fs::read_to_string("/proc/self/smaps").expect("proc is mounted");
        // Reading it runs much of the code that is to be given back.
        assert!(resident(&known()) > 0);
        let before = known();
        give_back_mapped();
        let after = known();
        let (before, after) = (resident(&before), resident(&after));
        assert!(after < before, "{before} kB were mapped, {after} kB are");
    }

    /// Of what can be given back, in kB.
    fn resident(maps: &str) -> u64 {
        let given = as_in_file(maps);
        let mut counts = false;
        let mut all = 0;
        for line in maps.lines() {
            if let Some(mapped) = line.split(' ').next().and_then(range) {
                counts = given.contains(&mapped);
            } else if let Some(kb) = line.strip_prefix("Rss:").filter(|_| counts) {
                let kb = kb.trim().trim_end_matches(" kB");
                all += kb.parse::<u64>().expect("a number of kB");
            }
        }
        all
    }
}
