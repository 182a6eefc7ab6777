//! Memory at rest. A start runs through most of the program's code once (parsers, checks, set-up), and the kernel keeps all of
//! it mapped, as if it were in use, for as long as the process lives. Given back, it is the first that makes room when
//! memory is short; what is still needed is mapped again in microseconds.

use std::ops::Range;

use rustix::mm::{Advice, madvise};

/// Gives back the code that the start needed. Where that cannot be done the program is as good, only larger.
pub fn give_back_code() {
    let known = std::env::current_exe().and_then(|program| {
        let maps = std::fs::read_to_string("/proc/self/maps")?;
        Ok((program, maps))
    });
    let (program, maps) = match known {
        Ok(known) => known,
        Err(error) => {
            tracing::debug!(%error, "what the start needed stays in memory");
            return;
        }
    };
    for code in code_of(&program.to_string_lossy(), &maps) {
        #[expect(unsafe_code, reason = "the one call that gives memory back has no safe form")]
        // SAFETY: the range is mapped from the program's own file, is never written (neither by us, it may not be, nor by
        // the loader, which relocates data and no code), and is mapped again as it is in the file when it is run next.
        let given = unsafe { madvise(code.start as *mut _, code.len(), Advice::LinuxDontNeed) };
        if let Err(error) = given {
            tracing::debug!(%error, "what the start needed stays in memory");
        }
    }
}

/// Where the program's own code lies: what may be run and not be written. `maps` is as proc(5) describes it.
fn code_of(program: &str, maps: &str) -> Vec<Range<usize>> {
    let code = maps.lines().filter_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let (range, permissions) = (fields.next()?, fields.next()?);
        let file = fields.nth(3)?;
        let (start, end) = range.split_once('-')?;
        let address = |text| usize::from_str_radix(text, 16).ok();
        (permissions == "r-xp" && file == program).then_some(address(start)?..address(end)?)
    });
    code.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPS: &str = "\
55cc15e4a000-55cc1680e000 r--p 00000000 fe:00 10292156                   /usr/bin/orderly
55cc1680e000-55cc18343000 r-xp 009c3000 fe:00 10292156                   /usr/bin/orderly
55cc18343000-55cc18544000 r--p 024f7000 fe:00 10292156                   /usr/bin/orderly
55cc19049000-55cc195b9000 rw-p 00000000 00:00 0                          [heap]
7f162e057000-7f162e1ad000 r-xp 00026000 fe:00 326279                     /usr/lib/x86_64-linux-gnu/libc.so.6
7f162e1b0000-7f162e1b1000 r-xp 00000000 00:00 0
";

    #[test]
    fn only_the_programs_own_code_is_given_back() {
        let code = code_of("/usr/bin/orderly", MAPS);
        assert_eq!(code.len(), 1);
        assert_eq!(code[0], 0x55cc_1680_e000..0x55cc_1834_3000);
        assert!(code_of("/usr/bin/other", MAPS).is_empty());
    }

    #[test]
    fn code_that_was_given_back_runs_as_before() {
        let known = || std::fs::read_to_string("/proc/self/smaps").expect("proc is mounted");
        // Reading it runs much of the code that is to be given back.
        assert!(resident_code(&known()) > 0);
        let before = known();
        give_back_code();
        let after = known();
        let (before, after) = (resident_code(&before), resident_code(&after));
        assert!(after < before, "{before} kB were mapped, {after} kB are");
    }

    /// Of the program's code, in kB.
    fn resident_code(maps: &str) -> u64 {
        let program = std::env::current_exe().expect("the program has a path");
        let mut of_ours = false;
        let mut all = 0;
        for line in maps.lines() {
            if line.contains("-p ") || line.contains("xp ") {
                of_ours = !code_of(&program.to_string_lossy(), line).is_empty();
            } else if let Some(kb) = line.strip_prefix("Rss:").filter(|_| of_ours) {
                let kb = kb.trim().trim_end_matches(" kB");
                all += kb.parse::<u64>().expect("a number of kB");
            }
        }
        all
    }
}
