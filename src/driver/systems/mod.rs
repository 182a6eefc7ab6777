//! All systems behind one door: the catalog, the targets and the drivers, with the manners probes keep.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::{Driver, Failure, Reading, Target};
use crate::catalog::{ActionCall, Catalog, ProbeCall, Problem, When, judge, nearest};
use crate::incident::{Answer, Approved, Outcome, Params, Preview, Terms};

/// Probes at a time on one target: a system in trouble must not get more of it from those who look.
const AT_ONCE: usize = 4;

/// How long a probe waits for its turn. Longer, and the answer comes too late to be one.
const TURN: Duration = Duration::from_secs(30);

/// What a driver gets beyond the entry's time-out to say itself, in better words, that it is over.
const GRACE: Duration = Duration::from_millis(500);

/// Replaces what looks like a secret with a marker.
pub type Mask = Arc<dyn Fn(&str) -> String + Send + Sync>;

type Asked = Shared<BoxFuture<'static, Arc<(Answer, Vec<u8>)>>>;
type AskedWeak = WeakShared<BoxFuture<'static, Arc<(Answer, Vec<u8>)>>>;

/// A target that the config describes and nobody can get at, because its secrets cannot be read.
#[derive(Debug, Clone)]
pub struct Closed {
    pub name: String,
    pub kind: String,
    /// It has an `action` address.
    pub acts: bool,
    pub why: String,
}

/// The door to everything outside that can be asked or changed.
pub struct Systems {
    catalog: RwLock<Arc<Catalog>>,
    targets: BTreeMap<String, Arc<Target>>,
    closed: BTreeMap<String, Closed>,
    drivers: BTreeMap<String, Arc<dyn Driver>>,
    mask: Mask,
    turns: BTreeMap<String, Arc<Semaphore>>,
    running: Mutex<HashMap<String, AskedWeak>>,
}

impl Systems {
    /// `drivers` by the names the catalog uses: `http`, `process`, `postgres`, `redis`.
    pub fn new(
        catalog: Catalog,
        targets: impl IntoIterator<Item = Target>,
        drivers: BTreeMap<String, Arc<dyn Driver>>,
        mask: Mask,
    ) -> Self {
        let targets: BTreeMap<_, _> = targets
            .into_iter()
            .map(|target| (target.name.clone(), Arc::new(target)))
            .collect();
        let turns = targets
            .keys()
            .map(|name| (name.clone(), Arc::new(Semaphore::new(AT_ONCE))))
            .collect();
        Self {
            catalog: RwLock::new(Arc::new(catalog)),
            targets,
            closed: BTreeMap::new(),
            drivers,
            mask,
            turns,
            running: Mutex::default(),
        }
    }

    /// With targets that are there and cannot be used: whoever asks for one is told why.
    pub fn with_closed(mut self, closed: impl IntoIterator<Item = Closed>) -> Self {
        self.closed = closed.into_iter().map(|one| (one.name.clone(), one)).collect();
        self
    }

    pub fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes a catalog that was read whole. Proposals whose entry changed are void from now on.
    pub fn replace_catalog(&self, catalog: Catalog) {
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalog);
    }

    pub fn target(&self, name: &str) -> Option<&Target> {
        self.targets.get(name).map(Arc::as_ref)
    }

    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.targets.values().map(Arc::as_ref)
    }

    /// A probe's call. Without a target, the only one that fits is taken.
    pub fn resolve_probe(
        &self,
        name: &str,
        target: Option<&str>,
        given: &Params,
        when: &When,
    ) -> Result<ProbeCall, Problem> {
        let catalog = self.catalog();
        let kinds = catalog.probe(name).map(|entry| entry.raw.targets.as_slice());
        let target = self.choose("probe", name, target, kinds, |_| true)?;
        catalog.resolve_probe(name, target, given, when)
    }

    /// Complete terms of an action. Without a target, the only one that fits and takes actions is taken.
    pub fn resolve_action(
        &self,
        name: &str,
        target: Option<&str>,
        given: &Params,
        when: &When,
    ) -> Result<Terms, Problem> {
        let catalog = self.catalog();
        let kinds = catalog.action(name).map(|entry| entry.raw.targets.as_slice());
        let target = self.choose("action", name, target, kinds, |acts| acts)?;
        catalog.resolve_action(name, target, given, when)
    }

    /// The terms of taking an action back; `None`: it cannot be undone.
    pub fn resolve_undo(
        &self,
        terms: &Terms,
        preview: &Preview,
        when: &When,
    ) -> Result<Option<Terms>, Problem> {
        let target = self.named(&terms.target)?;
        self.catalog()
            .resolve_undo(terms, &preview.operation.guards, target, when)
    }

    /// Asks, or joins the same question if it is being asked. Gives the answer, masked, and the full output as received.
    pub async fn ask(&self, call: &ProbeCall) -> Arc<(Answer, Vec<u8>)> {
        // Parameters as well: they may matter to the verdict alone.
        let key = format!(
            "{}\n{}\n{}\n{}",
            call.target,
            call.entry_digest,
            json!(call.params),
            call.call
        );
        let asked = self.join_or_begin(&key, call);
        let answered = asked.await;
        self.running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, asked| asked.upgrade().is_some_and(|asked| asked.peek().is_none()));
        answered
    }

    /// Asks what stands in the journal: by name, with parameters that were read before. What can no longer be asked is
    /// unknown, and the summary says why.
    pub async fn ask_again(
        &self,
        probe: &str,
        target: &str,
        params: &Params,
        when: &When,
    ) -> (Answer, Vec<u8>) {
        match self.resolve_probe(probe, Some(target), params, when) {
            Ok(call) => {
                let answered = self.ask(&call).await;
                (answered.0.clone(), answered.1.clone())
            }
            Err(problem) => (unasked(problem.to_string()), Vec::new()),
        }
    }

    /// Digest of every action's catalog entry as it is now: a proposal made from another one is void.
    pub fn entries(&self) -> BTreeMap<String, String> {
        let catalog = self.catalog();
        catalog
            .actions()
            .map(|entry| (entry.name.clone(), entry.digest.clone()))
            .collect()
    }

    fn join_or_begin(&self, key: &str, call: &ProbeCall) -> Asked {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // One that has its answer already is over: asking again means to know what holds now.
        if let Some(asked) = running
            .get(key)
            .and_then(WeakShared::upgrade)
            .filter(|asked| asked.peek().is_none())
        {
            return asked;
        }
        let begun = self.begin(call);
        if let Some(weak) = begun.downgrade() {
            running.insert(key.to_owned(), weak);
        }
        begun
    }

    fn begin(&self, call: &ProbeCall) -> Asked {
        let call = call.clone();
        let entry = self.catalog().probe(&call.probe).cloned();
        let target = self.targets.get(&call.target).cloned();
        let driver = self.drivers.get(&call.driver).cloned();
        let turns = self.turns.get(&call.target).cloned();
        let mask = Arc::clone(&self.mask);
        let asking = async move {
            let (Some(entry), Some(target), Some(turns)) = (entry, target, turns) else {
                let why = format!("`{}` or `{}` is no longer configured", call.probe, call.target);
                return Arc::new((unasked(why), Vec::new()));
            };
            let Some(driver) = driver else {
                return Arc::new((
                    unasked(format!("nothing here speaks `{}`", call.driver)),
                    Vec::new(),
                ));
            };
            let (reading, took) = one_turn(&*driver, &target, &turns, &call).await;
            let mut answer = judge(&entry, reading.as_ref(), took, &call.params, &target);
            answer.caveats.extend(call.caveats.iter().cloned());
            if target.accept_privileged_probe {
                answer
                    .caveats
                    .push("The probe role of this target may write; the config accepts that.".to_owned());
            }
            let raw = reading.map(|reading| reading.raw).unwrap_or_default();
            Arc::new((masked(answer, &mask), raw))
        };
        asking.boxed().shared()
    }

    /// Renders the exact operation of an action and reads what guards it.
    pub async fn preview(&self, terms: &Terms) -> Result<Preview, Failure> {
        let refused = |problem: Problem| Failure::Refused(problem.to_string());
        let target = self.named(&terms.target).map_err(refused)?;
        let catalog = self.catalog();
        let ActionCall { driver, call, limits } = catalog.render_action(terms, target).map_err(refused)?;
        let driver = self.driver(&driver)?;
        let mut preview = match timeout(limits.timeout + GRACE, driver.preview(target, &call, limits)).await {
            Ok(preview) => preview?,
            Err(_) => return Err(Failure::Unreachable("The preview took too long".to_owned())),
        };
        let effect = catalog
            .action(&terms.action)
            .and_then(|entry| entry.raw.effect.as_ref());
        if let Some(effect) = effect {
            let values = json!({
                "params": terms.params,
                "target": crate::catalog::facts(target),
                "guards": preview.operation.guards,
            });
            preview.effect = effect.line(&values).map_err(|why| {
                Failure::Refused(format!("`effect` of `{}` in the catalog: {why}", terms.action))
            })?;
        }
        preview.effect = (self.mask)(&preview.effect);
        Ok(preview)
    }

    /// Performs an approved operation, once. Refused before anything is sent when it is not what the terms say.
    pub async fn attempt(&self, approved: &Approved, terms: &Terms) -> Outcome {
        let not_done = |why: String| Outcome::NotDone { why };
        if approved.target() != terms.target {
            return not_done(format!(
                "It was approved for `{}`, not for `{}`",
                approved.target(),
                terms.target
            ));
        }
        let target = match self.named(&terms.target) {
            Ok(target) => target,
            Err(problem) => return not_done(problem.to_string()),
        };
        let limits = match self.catalog().render_action(terms, target) {
            Ok(call) => call.limits,
            Err(problem) => return not_done(problem.to_string()),
        };
        let driver = match self.driver(&approved.operation().driver) {
            Ok(driver) => driver,
            Err(failure) => return not_done(failure.to_string()),
        };
        // Guards are read again within the attempt, so it may take twice the time-out.
        match timeout(
            limits.timeout * 2 + GRACE,
            driver.attempt(target, approved, limits),
        )
        .await
        {
            Ok(outcome) => outcome,
            Err(_) => Outcome::Unknown {
                why: "It had not ended in time and is no longer waited for".to_owned(),
            },
        }
    }

    fn driver(&self, name: &str) -> Result<Arc<dyn Driver>, Failure> {
        let driver = self.drivers.get(name).cloned();
        driver.ok_or_else(|| Failure::Refused(format!("Nothing here speaks `{name}`")))
    }

    fn named(&self, name: &str) -> Result<&Target, Problem> {
        self.target(name).ok_or_else(|| {
            if let Some(closed) = self.closed.get(name) {
                return closed.problem();
            }
            let names: Vec<&str> = self.targets.keys().map(String::as_str).collect();
            let right = match nearest(name, names.iter().copied()) {
                Some(near) => format!("Did you mean `{near}`?"),
                None => format!("There is {}.", names.join(", ")),
            };
            Problem::new(format!("there is no target `{name}`"), right)
        })
    }

    fn choose(
        &self,
        what: &str,
        name: &str,
        target: Option<&str>,
        kinds: Option<&[String]>,
        suits: impl Fn(bool) -> bool,
    ) -> Result<&Target, Problem> {
        if let Some(target) = target {
            return self.named(target);
        }
        let Some(kinds) = kinds else {
            let catalog = self.catalog();
            return Err(match what {
                "probe" => catalog.unknown_probe(name),
                _ => catalog.unknown_action(name),
            });
        };
        let open = self.targets().map(|target| {
            let acts = target.action.is_some();
            (target.name.as_str(), &target.kind, acts)
        });
        // Those that cannot be used count as well: the one that is left may not be the one that was meant.
        let closed = self.closed.values();
        let closed = closed.map(|closed| (closed.name.as_str(), &closed.kind, closed.acts));
        let fitting = open
            .chain(closed)
            .filter(|(_, kind, acts)| kinds.contains(kind) && suits(*acts));
        let mut fitting: Vec<&str> = fitting.map(|(name, ..)| name).collect();
        fitting.sort_unstable();
        match fitting.as_slice() {
            [only] => self.named(only),
            [] => {
                let right = format!("Add a target of kind {} to orderly.toml.", kinds.join(" or "));
                Err(Problem::new(format!("no target fits {what} `{name}`"), right))
            }
            several => {
                let right = format!("Add target={} or another of: {}.", several[0], several.join(", "));
                Err(Problem::new(
                    format!("which one? {} targets fit {what} `{name}`", several.len()),
                    right,
                ))
            }
        }
    }
}

impl Closed {
    fn problem(&self) -> Problem {
        Problem::new(
            format!("`{}` cannot be asked or changed from here", self.name),
            self.why.clone(),
        )
    }
}

/// Waits for a turn on the target, asks, and says how long the asking itself took.
async fn one_turn(
    driver: &dyn Driver,
    target: &Target,
    turns: &Semaphore,
    call: &ProbeCall,
) -> (Result<Reading, Failure>, Duration) {
    let Ok(Ok(_turn)) = timeout(TURN, turns.acquire()).await else {
        let why = format!(
            "{} is being asked too much at once. Ask again in a moment.",
            target.name
        );
        return (Err(Failure::Unreachable(why)), Duration::ZERO);
    };
    let begun = Instant::now();
    let asked = timeout(
        call.limits.timeout + GRACE,
        driver.read(target, &call.call, call.limits),
    )
    .await;
    let late = || {
        Failure::Unreachable(format!(
            "{} said nothing within {} s.",
            target.name,
            call.limits.timeout.as_secs_f32()
        ))
    };
    (asked.unwrap_or_else(|_| Err(late())), begun.elapsed())
}

fn unasked(why: String) -> Answer {
    Answer {
        verdict: crate::incident::Verdict::Unknown,
        summary: format!("Not asked: {why}"),
        excerpt: String::new(),
        impact: None,
        duration_ms: 0,
        output: None,
        caveats: Vec::new(),
    }
}

fn masked(answer: Answer, mask: &Mask) -> Answer {
    Answer {
        summary: mask(&answer.summary),
        excerpt: mask(&answer.excerpt),
        caveats: answer.caveats.iter().map(|caveat| mask(caveat)).collect(),
        ..answer
    }
}
