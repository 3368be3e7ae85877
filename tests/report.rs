//! `trousseau report` as its user sees it: records in, report and exit code out.

mod common;

use common::text;
mod synthetic;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use synthetic::{Server, head, observations, record};
use trousseau::recorder::{ClockEvent, ClockEventKind, Datagrams, RunWriter, Verdict};
use trousseau::report::{Live, Outcome, write_all};

fn trousseau(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_trousseau")).args(args).output().unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A folder that stays after the test, so that a person can look at the page; made anew.
fn kept(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    folder
}

#[test]
fn a_clean_run_says_so_in_one_sentence() {
    let folder = kept("report-clean");
    record(&folder, &head(2000), Server::Correct);
    let done = trousseau(&["report", path(&folder)]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert_eq!(text(&done.stderr), "");
    let said = text(&done.stdout);
    let first = said.lines().next().unwrap();
    assert!(first.starts_with("No contradiction in 12,"), "{first}");
    assert!(first.contains("; 0 of "), "{first}");
    assert!(first.ends_with(" % at 95 %."), "{first}");
    for part in ["Outcome: ok", "rentree against portal-html", "p99.9", "replayed-code", "timeout"]
    {
        assert!(said.contains(part), "{part} is missing from\n{said}");
    }
}

#[test]
fn replays_accepted_are_counted_listed_and_tell_the_shell() {
    let folder = kept("report-defect");
    let run = head(2000);
    record(&folder, &run, Server::ForgetsUsedCodes);
    let seen = observations(&run, Server::ForgetsUsedCodes);
    let replayed = |seen: &&trousseau::recorder::Observation| {
        seen.expectation.reason.name() == "replayed-code" && seen.verdict == Verdict::Accepted
    };
    let replays = seen.iter().filter(replayed).count();
    assert!(replays > 100, "{replays}");

    let done = trousseau(&["report", path(&folder), "--format", "json"]);
    assert_eq!(done.status.code(), Some(3));
    let json: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(json["outcome"], "contradiction");
    let listed = json["contradictions"].as_array().unwrap();
    assert_eq!(json["attempts"]["contradictions"], listed.len());
    let of_kind = |kind: &str| listed.iter().filter(|found| found["kind"] == kind).count();
    assert_eq!(of_kind("replay-accepted"), replays);
    assert!(of_kind("concurrent-replay-accepted") > 5, "{listed:?}");
    assert_eq!(of_kind("replay-accepted") + of_kind("concurrent-replay-accepted"), listed.len());
    let entry = &listed[0];
    assert!(entry["user"].as_str().unwrap().starts_with("user"), "{entry}");
    assert!(entry["serial"].as_str().unwrap().starts_with("ACME"), "{entry}");
    assert!(entry["sent_key"].as_str().unwrap().starts_with("2026-09-01T"), "{entry}");
    assert_eq!(json["replays"]["accepted"], listed.len());
    // Whether the clocks explain it shows at a glance: the key's, ours and the server's.
    let at = |name: &str| entry[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let (sent, server) = (at("sent_key").as_microsecond(), at("server_sent").as_microsecond());
    assert!(
        (3_000..=4_000).contains(&(sent - server)),
        "the server's clock is 3.2 ms behind: {entry}"
    );
    let code = at("code_key").as_second();
    assert_eq!((code % 60, code / 60), (0, entry["counter"].as_i64().unwrap()), "{entry}");
    let done = trousseau(&["report", path(&folder)]);
    let said = text(&done.stdout);
    for name in ["code_key", "server_sent", "server_answered"] {
        assert!(said.contains(entry[name].as_str().unwrap()), "{name}: {said}");
    }
    let html = text(&trousseau(&["report", path(&folder), "--format", "html"]).stdout);
    for name in ["code_key", "server_sent"] {
        assert!(html.contains(entry[name].as_str().unwrap()), "{name}");
    }
    assert!(said.contains("and ") && said.contains("more, all in the JSON report"), "{said}");
}

#[test]
fn every_attempt_is_accounted_for() {
    let folder = kept("report-account");
    let run = head(500);
    record(&folder, &run, Server::ForgetsUsedCodes);
    let done = trousseau(&["report", path(&folder), "--format", "json"]);
    let json: Value = serde_json::from_slice(&done.stdout).unwrap();
    let of = |name: &str| json["attempts"][name].as_u64().unwrap();
    let total = observations(&run, Server::ForgetsUsedCodes).len() as u64;
    assert_eq!(of("total"), total);
    let parts = ["confirmed", "contradictions", "undetermined", "faults"];
    assert_eq!(parts.map(of).iter().sum::<u64>(), total);
    let sum = |list: &str, field: &str| -> u64 {
        json[list].as_array().unwrap().iter().map(|row| row[field].as_u64().unwrap()).sum()
    };
    assert_eq!(sum("table", "attempts"), total);
    assert_eq!(sum("steps", "attempts"), total);
    let bins = json["timeline"]["bins"].as_array().unwrap();
    let bins_of = |field: &str| bins.iter().map(|bin| bin[field].as_u64().unwrap()).sum::<u64>();
    assert_eq!(bins_of("due"), total);
    assert_eq!(bins_of("answered") + bins_of("faults"), total);
    let parts = json["within_period"]["parts"].as_array().unwrap();
    assert_eq!(parts.iter().map(|part| part["due"].as_u64().unwrap()).sum::<u64>(), total);
}

/// The machine slept in the middle of the run.
fn slept() -> ClockEvent {
    let (after_us, seen_us) = (20_000_000, 20_200_000);
    ClockEvent { kind: ClockEventKind::Suspend, seconds: 42.0, after_us, seen_us }
}

#[test]
fn a_sleep_in_the_middle_is_told_and_what_came_after_it_blames_nobody() {
    let mut run = head(500);
    let folder = kept("report-awake");
    record(&folder, &run, Server::Correct);
    let awake = trousseau(&["report", path(&folder), "--format", "json"]);
    let awake: Value = serde_json::from_slice(&awake.stdout).unwrap();

    run.clock_events.push(slept());
    let folder = kept("report-slept");
    record(&folder, &run, Server::Correct);
    let said = text(&trousseau(&["report", path(&folder)]).stdout);
    let warning = said.lines().find(|line| line.starts_with("Warning: ")).expect("a warning");
    for part in ["suspended for 42.0 s, 20.2 s after the start", "to the end", "Run again"] {
        assert!(warning.contains(part), "{part} is missing from {warning}");
    }
    let page = text(&trousseau(&["report", path(&folder), "--format", "html"]).stdout);
    assert!(page.contains("suspended for 42.0 s"));
    assert!(page.contains("the machine slept"), "the class of undetermined attempts is explained");
    let json = trousseau(&["report", path(&folder), "--format", "json"]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    let of = |json: &Value, name: &str| json["attempts"][name].as_u64().unwrap();
    let classes = json["undetermined"].as_array().unwrap();
    let class = classes.iter().find(|class| class["name"] == "clock-event").expect("clock-event");
    let spoilt = class["count"].as_u64().unwrap();
    assert!(spoilt > 100, "{spoilt}");
    assert!(of(&json, "confirmed") > 100 && of(&json, "confirmed") < of(&awake, "confirmed"));
    assert_eq!(of(&json, "total"), of(&awake, "total"));
    assert_eq!(of(&json, "contradictions"), 0);
}

#[test]
fn the_json_report_is_as_its_schema_says() {
    let schema = trousseau(&["report", "--schema"]);
    assert_eq!(schema.status.code(), Some(0));
    let schema: Value = serde_json::from_slice(&schema.stdout).unwrap();
    let folder = kept("report-schema");
    let mut run = head(300);
    run.clock_events.push(slept());
    run.datagrams.push(Datagrams { name: "requests".into(), count: 1200 });
    record(&folder, &run, Server::ForgetsUsedCodes);
    let done = trousseau(&["report", path(&folder), "--format", "json"]);
    let mut json: Value = serde_json::from_slice(&done.stdout).unwrap();
    let mut faults = Vec::new();
    validate(&schema, &schema, &json, "report", &mut faults);
    assert_eq!(faults, Vec::<String>::new());

    // The validator itself: a field too many, one too few, a wrong type are all seen.
    json["surprise"] = Value::from(1);
    json["attempts"]["total"] = Value::from("many");
    json["replays"].as_object_mut().unwrap().remove("sent");
    validate(&schema, &schema, &json, "report", &mut faults);
    faults.sort();
    assert_eq!(
        faults,
        [
            "report.attempts.total: not of type \"integer\"",
            "report.replays: sent is missing",
            "report: surprise is not in the schema",
        ]
    );
}

/// The part of JSON Schema that the schema uses.
fn validate(root: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.strip_prefix("#/$defs/").unwrap();
        assert!(root["$defs"][name].is_object(), "the schema has no {name}");
        return validate(root, &root["$defs"][name], value, at, faults);
    }
    let types = match &schema["type"] {
        Value::Array(types) => types.clone(),
        one => vec![one.clone()],
    };
    let is = |name: &Value| match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("unknown type {other} in the schema"),
    };
    if !types.iter().any(is) {
        faults.push(format!("{at}: not of type {}", schema["type"]));
        return;
    }
    if let Some(allowed) = schema["enum"].as_array()
        && !allowed.contains(value)
    {
        faults.push(format!("{at}: {value} is not allowed"));
    }
    if let Value::Array(items) = value {
        for (n, item) in items.iter().enumerate() {
            validate(root, &schema["items"], item, &format!("{at}[{n}]"), faults);
        }
    }
    if let Value::Object(fields) = value {
        let known = schema["properties"].as_object().unwrap();
        assert_eq!(schema["additionalProperties"], false, "{at}");
        for name in schema["required"].as_array().unwrap() {
            if !fields.contains_key(name.as_str().unwrap()) {
                faults.push(format!("{at}: {} is missing", name.as_str().unwrap()));
            }
        }
        for (name, field) in fields {
            match known.get(name) {
                Some(schema) => validate(root, schema, field, &format!("{at}.{name}"), faults),
                None => faults.push(format!("{at}: {name} is not in the schema")),
            }
        }
    }
}

#[test]
fn parts_of_one_test_become_one_report() {
    let (first, second) = (kept("report-part1"), kept("report-part2"));
    let run = head(400);
    let mut writers = [&first, &second].map(|folder| RunWriter::create(folder, &run).unwrap());
    for seen in observations(&run, Server::Correct) {
        writers[seen.person as usize % 2].record(&seen);
    }
    for writer in writers {
        writer.finish(&run).unwrap();
    }
    let whole = kept("report-whole");
    record(&whole, &run, Server::Correct);

    let json = |folders: &[&str]| -> Value {
        let done = trousseau(&[&["report", "--format", "json"], folders].concat());
        assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
        serde_json::from_slice(&done.stdout).unwrap()
    };
    let (parts, whole) = (json(&[path(&first), path(&second)]), json(&[path(&whole)]));
    for same in ["steps", "table", "timeline", "within_period", "replays", "headline"] {
        assert_eq!(parts[same], whole[same], "{same}");
    }
    assert_eq!(parts["runs"].as_array().unwrap().len(), 2);

    let done = trousseau(&["report", path(&first), path(&first)]);
    assert_eq!(done.status.code(), Some(2));
    assert!(text(&done.stderr).contains("is named twice"), "{}", text(&done.stderr));

    let other = kept("report-other");
    let mut slow = head(400);
    slow.clock.rate = 1.0;
    record(&other, &slow, Server::Correct);
    let done = trousseau(&["report", path(&first), path(&other)]);
    assert_eq!(done.status.code(), Some(2));
    let said = text(&done.stderr);
    assert!(said.contains("the runs differ in clock rate: 60 and 1"), "{said}");
    assert!(said.contains("help: report runs of different tests one by one"), "{said}");
    assert_eq!(text(&done.stdout), "");
}

#[test]
fn a_killed_run_is_reported_as_far_as_it_went() {
    let folder = kept("report-killed");
    let mut run = head(300);
    run.finished = None;
    let seen = observations(&run, Server::Correct);
    let mut writer = RunWriter::create(&folder, &run).unwrap();
    seen.iter().for_each(|seen| writer.record(seen));
    writer.flush();
    drop(writer);
    let attempts = folder.join("attempts.csv");
    let written = fs::read(&attempts).unwrap();
    fs::write(&attempts, &written[..written.len() - 7]).unwrap();

    let done = trousseau(&["report", path(&folder)]);
    // What was cut short must not pass for a success.
    assert_eq!(done.status.code(), Some(1), "{}", text(&done.stderr));
    let said = text(&done.stdout);
    assert!(said.contains("runs cut short 1, over 0"), "{said}");
    assert!(said.contains("Warning: The run did not finish"), "{said}");
    assert!(said.contains("cut last line"), "{said}");
    let json = trousseau(&["report", path(&folder), "--format", "json"]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["attempts"]["total"], seen.len() - 1);
    assert_eq!(json["runs"][0]["state"], "incomplete");
    assert_eq!(json["runs"][0]["truncated"], true);
}

#[test]
fn what_is_no_run_is_refused_with_its_place_and_nothing_is_written() {
    let folder = kept("report-bad");
    fs::create_dir_all(&folder).unwrap();
    let out = folder.join("out.html");
    let args = ["report", path(&folder), "--format", "html", "--out", path(&out)];
    let done = trousseau(&args);
    assert_eq!(done.status.code(), Some(2));
    let said = text(&done.stderr);
    assert!(said.contains("report-bad holds no run: there is no run.json in it"), "{said}");
    assert!(said.contains("help: name the folder that"), "{said}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);

    record(&folder, &head(3), Server::Correct);
    let attempts = folder.join("attempts.csv");
    let written = fs::read_to_string(&attempts).unwrap();
    fs::write(&attempts, written.replacen(",first-code,", ",sing,", 1)).unwrap();
    let done = trousseau(&args);
    assert_eq!(done.status.code(), Some(2));
    let said = text(&done.stderr);
    assert!(said.contains("attempts.csv:"), "{said}");
    assert!(said.contains("column `step`: \"sing\""), "{said}");
    assert!(!out.exists());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);

    fs::write(&attempts, written).unwrap();
    fs::write(&out, "mine").unwrap();
    let done = trousseau(&args);
    assert_eq!(done.status.code(), Some(2));
    let said = text(&done.stderr);
    assert!(said.contains("out.html exists already; nothing was written"), "{said}");
    assert_eq!(fs::read_to_string(&out).unwrap(), "mine");

    let done = trousseau(&["report"]);
    assert_eq!(done.status.code(), Some(2));
}

#[test]
fn limits_decide_the_exit_code_and_the_worst_wins() {
    let mut run = head(300);
    run.thresholds.p99_ms = Some(0.5);
    let slow = kept("report-slow");
    record(&slow, &run, Server::Correct);
    let done = trousseau(&["report", path(&slow)]);
    assert_eq!(done.status.code(), Some(1));
    let said = text(&done.stdout);
    assert!(said.starts_with("A threshold was missed: p99 latency of the slowest step "), "{said}");
    assert!(said.contains("over 0.5 ms. No contradiction in "), "{said}");

    run.thresholds.lateness_p99_ms = Some(0.1);
    let late = kept("report-late");
    record(&late, &run, Server::Correct);
    let done = trousseau(&["report", path(&late)]);
    assert_eq!(done.status.code(), Some(4));
    assert!(text(&done.stdout).starts_with("The load generator was at fault: p99 lateness"));

    let worst = kept("report-worst");
    record(&worst, &run, Server::ForgetsUsedCodes);
    assert_eq!(trousseau(&["report", path(&worst)]).status.code(), Some(3));
}

#[test]
fn a_server_that_never_answers_is_no_success() {
    let mut run = head(20);
    run.thresholds.error_rate = None;
    let folder = kept("report-mute");
    let mut writer = RunWriter::create(&folder, &run).unwrap();
    for mut seen in observations(&run, Server::Correct) {
        seen.verdict = Verdict::Error;
        seen.fault = Some(trousseau::recorder::Fault::Connect);
        writer.record(&seen);
    }
    writer.finish(&run).unwrap();
    let done = trousseau(&["report", path(&folder)]);
    assert_eq!(done.status.code(), Some(1));
    assert!(text(&done.stdout).starts_with("A threshold was missed: attempts that prove nothing"));
}

/// Pages are shown, everybody's login is refused, and none of it was expected to be taken for sure:
/// people came with the wrong PINs, say.
#[test]
fn a_server_that_lets_nobody_in_is_no_success() {
    use trousseau::recorder::{Expectation, Expected, Reason};
    let run = head(20);
    let folder = kept("report-nobody");
    let mut writer = RunWriter::create(&folder, &run).unwrap();
    for mut seen in observations(&run, Server::Correct) {
        if seen.expectation.expected != Expected::Page {
            seen.expectation = Expectation::always(Expected::Unknown, Reason::Locked);
            seen.verdict = Verdict::Rejected;
        }
        writer.record(&seen);
    }
    writer.finish(&run).unwrap();
    let done = trousseau(&["report", path(&folder)]);
    assert_eq!(done.status.code(), Some(1));
    let said = text(&done.stdout);
    assert!(
        said.starts_with("A threshold was missed: codes and PINs sent, and nobody's taken"),
        "{said}"
    );
}

#[test]
fn the_live_report_is_the_one_rebuilt_from_the_record() {
    let folder = kept("report-live");
    let run = head(500);
    let mut writer = RunWriter::create(&folder, &run).unwrap();
    let mut live = Live::new(&run);
    for seen in observations(&run, Server::Correct) {
        writer.record(&seen);
        live.add(&seen);
    }
    let counters = live.counters();
    assert!(counters.initialised > 490 && counters.logins > 490, "{counters:?}");
    assert_eq!(counters.contradictions, 0);
    writer.finish(&run).unwrap();
    let summary = live.finish(&run, 0);
    assert_eq!(summary.outcome, Outcome::Ok);
    let files = write_all(&folder, &summary).unwrap();
    let names: Vec<_> =
        files.iter().map(|file| file.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names[..3], ["report.txt", "report.html", "report.json"]);
    assert_eq!(*names.last().unwrap(), "run.hlog");
    assert!(names.contains(&"latency-login.hgrm"), "{names:?}");

    let again = trousseau(&["report", path(&folder), "--format", "json"]);
    let mut again: Value = serde_json::from_slice(&again.stdout).unwrap();
    again["runs"][0]["folder"] = Value::Null;
    let written = fs::read(folder.join("report.json")).unwrap();
    assert_eq!(again, serde_json::from_slice::<Value>(&written).unwrap());
}

#[test]
fn the_page_stands_alone_and_escapes_what_it_is_given() {
    let folder = kept("report-page");
    let mut run = head(300);
    run.people[1].1 = "<script>alert(1)</script>".into();
    run.url = "http://x/?\"><img src=x onerror=alert(1)>".into();
    for (_, user) in &mut run.people {
        user.push_str("<b>&\u{1b}[31m");
    }
    record(&folder, &run, Server::ForgetsUsedCodes);
    let done = trousseau(&["report", path(&folder), "--format", "html"]);
    assert_eq!(done.status.code(), Some(3));
    let page = text(&done.stdout);
    assert!(page.starts_with("<!doctype html>"), "{}", &page[..200]);
    assert_eq!(page.matches("<svg class=\"chart\"").count(), 6);
    assert_eq!(page.matches("<title id=").count(), 6);
    for banned in ["<script", "<img", "<b>&", "\u{1b}", "src=\"http", "href=\"http", "url(", "NaN"]
    {
        assert!(!page.contains(banned), "{banned}");
    }
    assert!(page.contains("&lt;b&gt;&amp;"), "users are shown");
    let said = text(&trousseau(&["report", path(&folder)]).stdout);
    assert!(!said.contains('\u{1b}'), "no control character reaches the terminal");
}

#[test]
fn percentile_files_are_what_plotters_read() {
    let folder = kept("report-hgrm");
    record(&folder, &head(500), Server::Correct);
    let out = folder.join("hdr");
    let args = ["report", path(&folder), "--format", "hgrm", "--out", path(&out)];
    assert_eq!(trousseau(&args).status.code(), Some(0));
    let file = fs::read_to_string(out.join("latency-login.hgrm")).unwrap();
    let mut lines = file.lines();
    let header: Vec<_> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(header, ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]);
    assert_eq!(lines.next(), Some(""));
    let rows: Vec<Vec<f64>> = lines
        .take_while(|line| !line.starts_with('#'))
        .map(|line| line.split_whitespace().map(|field| field.parse().unwrap()).collect())
        .collect();
    assert!(rows.len() > 20, "{file}");
    assert!(rows.windows(2).all(|pair| pair[0][0] <= pair[1][0] && pair[0][2] <= pair[1][2]));
    let last = rows.last().unwrap();
    assert_eq!(last[1], 1.0);
    assert!(file.contains(&format!("Total count    = {:>12}]", last[2])), "{file}");
    // A name taken: nothing is overwritten.
    assert_eq!(trousseau(&args).status.code(), Some(2));
}

#[test]
fn the_interval_log_adds_up() {
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
    let folder = kept("report-hlog");
    let run = head(500);
    record(&folder, &run, Server::Correct);
    let done = trousseau(&["report", path(&folder), "--format", "hlog"]);
    let mut logins = 0;
    for entry in IntervalLogIterator::new(&done.stdout) {
        if let LogEntry::Interval(interval) = entry.unwrap()
            && interval.tag().unwrap().as_str() == "login"
        {
            let encoded = interval.encoded_histogram().as_bytes();
            let bytes = data_encoding::BASE64.decode(encoded).unwrap();
            let histogram: hdrhistogram::Histogram<u64> =
                Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
            logins += histogram.len();
        }
    }
    let sent = observations(&run, Server::Correct);
    assert_eq!(logins, sent.iter().filter(|seen| seen.step.name() == "login").count() as u64);
}
