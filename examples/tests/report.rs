//! The example `report` shows what the library says about the user's own lists of nodes and refuses
//! bad lists by file and line. No name can break out of its page.

#[allow(dead_code)] // `main` is not called here.
#[path = "../report/main.rs"]
mod report;

use report::figures::Figures;
use report::input::{List, Placement, check_zones, zone_of};
use report::{run, text, warnings};
use std::fs;
use std::path::PathBuf;

const HOSTILE: &str = "\
<script>alert(1)</script>,2,eu
\"\"\"' onload='alert(2)\",1,<img src=x onerror=alert(3)>
&amp; ]]> </style></title></svg>,1,eu
evil\u{202e}txt.exe,1,eu
bell\u{7} and nul\0,1,us
\u{5d0}\u{5d1}\u{5d2},1,us
zero\u{200b}width\u{2028}line\u{feff},3,us
";

fn file(name: &str, text: impl AsRef<[u8]>) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("report-{name}"));
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_string()
}

fn run_with(args: &[&str]) -> Result<String, String> {
    run(args.iter().map(Into::into))
}

/// Writes a page about these two lists and returns it with what was printed.
fn page(name: &str, before: &str, after: &str, options: &[&str]) -> (String, String) {
    let [before, after] = [("before", before), ("after", after)]
        .map(|(side, text)| file(&format!("{name}-{side}.csv"), text));
    let output = file(&format!("{name}.html"), "");
    let args = [&[&*before, &*after, "--output", &*output], options].concat();
    let printed = run_with(&args).unwrap();
    (fs::read_to_string(output).unwrap(), printed)
}

fn placements(before: &str, after: &str, virtual_nodes: u32) -> [Placement; 2] {
    [before, after].map(|text| {
        let list = List::parse("list", text.as_bytes()).unwrap();
        list.placement(virtual_nodes).unwrap()
    })
}

fn warnings_of(text: &str, virtual_nodes: u32, replicas: usize) -> Vec<String> {
    let [old, new] = placements(text, text, virtual_nodes);
    warnings::warnings(&Figures::new([&old, &new], replicas, 4).unwrap())
}

/// `zone-number` for so many nodes of each zone.
fn zones(sizes: &[(&str, usize)]) -> String {
    let nodes = sizes
        .iter()
        .flat_map(|&(zone, nodes)| (1..=nodes).map(move |i| format!("{zone}-{i},1,{zone}\n")));
    nodes.collect()
}

#[test]
fn lists_are_read_in_every_usual_form() {
    let expected = List::parse("f", b"a,2,eu\nb,1,us\n").unwrap();
    for text in [
        "a\t2\teu\nb\t1\tus",
        "a;2;eu\r\nb;;us\r\n",
        "\u{feff}name,weight,zone\na, 2 ,eu\n\nb,,us\n",
        "# first\n  # second\nNAME,Weight,Zone\n\"a\",\"2\",\"eu\"\n   \nb,1,us",
    ] {
        let list = List::parse("f", text.as_bytes()).unwrap();
        let rows = list.rows.iter().map(|row| (&row.node, row.weight));
        let expected = expected.rows.iter().map(|row| (&row.node, row.weight));
        assert!(rows.eq(expected), "{text:?}");
    }
    let list = List::parse("f", b"\n# two\na\nb\n").unwrap();
    let lines: Vec<_> = list.rows.iter().map(|row| (row.line, row.weight)).collect();
    assert_eq!(lines, [(3, 1), (4, 1)]);
    let list = List::parse("f", b"\"a, \"\"b\"\"\",3").unwrap();
    assert_eq!(list.rows[0].node.name, "a, \"b\"");
}

#[test]
fn a_bad_line_is_refused_by_file_and_line() {
    let cases: [(&[u8], &str); 15] = [
        (
            b"a\nb\n# c\na\n",
            "f:4: node `a` is listed twice, first on line 1",
        ),
        (b"a,1\nb,0\n", "f:2: node `b` has weight 0"),
        (
            b"a,1\n\nb,x\n",
            "f:3: the weight is `x`, but must be a whole number",
        ),
        (b"a,-1\n", "f:1: the weight is `-1`"),
        (b"a,1.5\n", "f:1: the weight is `1.5`"),
        (b"a,4294967296\n", "f:1: the weight is `4294967296`"),
        (b"a,1\n,2\n", "f:2: the name of the node is empty"),
        (b"a,1\n\"\",2\n", "f:2: the name of the node is empty"),
        (b"a,1,eu,x\n", "f:1: the line has 4 fields"),
        (b"a\nb 2 eu\n", "f:2: `b 2 eu` contains a space"),
        (b"a,1\n\"b,2\nc,3\n", "f:2: a quotation mark is not closed"),
        (b"a,1\nb\xff,2\n", "f:2: the text is not UTF-8"),
        (b"a,1\rb,2\r", "f:1: the weight is `1\\u{d}b`"),
        (b"# nothing\n\n", "f: the file lists no node"),
        (b"", "f: the file lists no node"),
    ];
    for (text, expected) in cases {
        let error = List::parse("f", text).unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }

    let list = List::parse("f", b"a,10\nb,20\nc,30\n").unwrap();
    let error = list.placement(1_000_000).unwrap_err();
    assert!(
        error.starts_with("f:2: with this node the ring needs 30000000 points"),
        "{error}"
    );
    assert!(error.contains("16777216"), "{error}");

    let lists = [b"a,1,eu\nb,1,us", &b"a,1,eu\n\nb,1"[..]];
    let [old, new] = lists.map(|text| List::parse("f", text).unwrap());
    let error = check_zones(&[old, new]).unwrap_err();
    assert!(
        error.starts_with("f:3: node `b` has no zone, but node `a` has one (f:1)"),
        "{error}"
    );
}

#[test]
fn after_an_error_nothing_is_written() {
    let good = file("good.csv", "a\nb\n");
    let bad = file("bad.csv", "a\na\n");
    let output = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report-never.html");
    let output = output.to_str().unwrap();
    let missing = format!("{good}.missing");
    for (args, expected) in [
        (&[&*good, &*bad][..], "bad.csv:2: node `a` is listed twice"),
        (&[&good, &missing], "missing: the file cannot be read"),
        (
            &[&good, env!("CARGO_TARGET_TMPDIR")],
            "the file cannot be read",
        ),
        (&[&good], "one file is given"),
        (&[&good, &good, &good], "3 files are given"),
        (&["--colour"], "invalid option '--colour'"),
        (&["-x"], "invalid option '-x'"),
        (
            &["--limit", "0"],
            "--limit is `0`, but must be a whole number from 1 to 1000000",
        ),
        (&["--limit=two"], "--limit is `two`"),
        (
            &["--replicas", "17"],
            "--replicas is `17`, but must be a whole number from 1 to 16",
        ),
        (&["--virtual-nodes", "-1"], "--virtual-nodes is `-1`"),
        (
            &["--virtual-nodes", "1000000", &good, &good, "--limit"],
            "missing argument",
        ),
        (
            &[&good, &good, "--output", &good],
            "--output would overwrite this list of nodes",
        ),
        (
            &[&good, &good, "--output", "/no/such/dir/x"],
            "the page cannot be written",
        ),
    ] {
        let args = [&["--output", output], args].concat();
        let error = run_with(&args).unwrap_err();
        assert!(error.contains(expected), "{error}");
        assert!(!fs::exists(output).unwrap(), "{error}");
    }
    assert_eq!(fs::read_to_string(good).unwrap(), "a\nb\n");
}

#[test]
fn help_names_every_option_and_the_samples_are_shown() {
    let help = run_with(&["--limit", "2", "--help"]).unwrap();
    let output = file("samples.html", "");
    let printed = run_with(&["--output", &output]).unwrap();
    for option in [
        "--virtual-nodes",
        "--replicas",
        "--limit",
        "--output",
        "--help",
    ] {
        assert!(help.contains(option));
    }
    let page = fs::read_to_string(output).unwrap();
    for used in [
        "examples/data/nodes-before.csv, 9 nodes",
        "512 for each unit",
        "3 copies",
    ] {
        assert!(printed.contains(used) && page.contains(used), "{printed}");
    }
    assert!(page.contains("<bdi>eu-c-1</bdi>"));
    assert!(page.contains("If a whole zone fails"));
    for word in [
        "http",
        "//",
        "src=",
        "url(",
        "@import",
        "<script",
        "<link rel=stylesheet",
    ] {
        assert!(!page.contains(word), "{word}");
    }
}

#[test]
fn no_name_breaks_out_of_the_page() {
    let (page, printed) = page("hostile", &zones(&[("eu", 2)]), HOSTILE, &["--replicas=2"]);
    let hidden = |char: char| text::visible(&char.to_string()).len() > char.len_utf8();
    let printable = |text: &str| !text.chars().any(|char| char != '\n' && hidden(char));
    assert!(printable(&page) && printable(&printed));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("&amp;amp; ]]&gt;"));
    assert!(page.contains("evil\\u{202e}txt.exe"));
    assert_eq!(text::escape("'\"<>&"), "&#39;&quot;&lt;&gt;&amp;");
    assert!(page.contains("<bdi>\u{5d0}\u{5d1}\u{5d2}</bdi>"));

    let body = page.split_once("</style>").unwrap().1;
    for tag in body.split('<').skip(1) {
        let name = tag.trim_start_matches('/');
        let end = name
            .find(|char: char| !char.is_ascii_alphanumeric())
            .unwrap();
        let known = "head body main html h1 h2 p dl dt dd section div b span ul li i table thead \
            tbody tr th td bdi em svg text tspan path title rect details summary";
        assert!(
            known.split_whitespace().any(|known| known == &name[..end]),
            "{tag}"
        );
        // An attribute's value that holds a quotation mark would leave an odd number of them.
        let inside = &tag[..tag.find('>').expect("each tag ends")];
        assert_eq!(inside.matches('\'').count() % 2, 0, "{tag}");
        assert!(
            !inside.contains(['"', '`']) && !inside.contains(" on"),
            "{tag}"
        );
    }
}

#[test]
fn the_figures_are_those_of_the_library() {
    let before = zones(&[("a", 4), ("b", 4), ("c", 2)]);
    let after = zones(&[("a", 4), ("b", 5), ("c", 1)]).replace("a-1,1", "a-1,3");
    let [old, new] = placements(&before, &after, 64);
    let figures = Figures::new([&old, &new], 2, 3).unwrap();

    for (side, placement) in [&old, &new].into_iter().enumerate() {
        for (loads, balance) in [
            (&figures.copies, placement.balance_of(2)),
            (&figures.owners, placement.strategy().balance()),
        ] {
            let shown = loads
                .iter()
                .filter_map(|load| Some((load.node, load.held[side]?)));
            assert_eq!(shown.clone().count(), balance.nodes().len());
            for (node, held) in shown {
                let mut rows = balance.nodes().iter();
                let row = rows.find(|row| row.node == node.name).unwrap();
                assert_eq!((held.weight, held.share), (row.weight, row.share));
                assert_eq!(held.relative(), row.relative);
            }
        }
    }
    let sum: f64 = figures.zones().values().map(|zone| zone.share[1]).sum();
    assert!((sum - 2.0).abs() < 1e-9);

    let migration = old
        .strategy()
        .diff_replicas_across(new.strategy(), 2, zone_of)
        .unwrap();
    assert!(figures.migration.moves().eq(migration.moves()));
    let schedule = &figures.schedule;
    assert_eq!(
        schedule.copies,
        migration.moves().filter(|m| m.to.is_some()).count()
    );
    assert!((schedule.one_by_one - 2.0 * migration.share()).abs() < 1e-9);
    assert!(schedule.bound <= schedule.makespan && schedule.makespan <= 1.05 * schedule.bound);
}

#[test]
fn a_node_may_change_its_zone() {
    let before = zones(&[("a", 3), ("b", 3)]);
    let after = before.replace("a-1,1,a", "a-1,1,b");
    let [old, new] = placements(&before, &after, 64);
    let figures = Figures::new([&old, &new], 2, 3).unwrap();
    let nodes: Vec<_> = figures.zones().values().map(|zone| zone.nodes).collect();
    assert_eq!(nodes, [[3, 2], [3, 4]]);
    assert!(!figures.migration.is_empty());
    let (page, _) = page("zone", &before, &after, &["--replicas=2"]);
    assert!(page.contains("<bdi>a</bdi> → <bdi>b</bdi>"));
}

#[test]
fn without_zones_the_copies_are_those_of_the_plain_ring() {
    let [old, new] = placements("a\nb\nc\nd\ne\n", "a,3\nb\nc\nd\n", 64);
    let figures = Figures::new([&old, &new], 3, 4).unwrap();
    let plain = old.strategy().diff_replicas(new.strategy(), 3).unwrap();
    assert!(!figures.has_zones && !plain.is_empty());
    assert!(figures.migration.moves().eq(plain.moves()));
    for loss in new.strategy().losses_of(3) {
        assert!(figures.nodes_lost.contains(&loss));
    }
    let (page, _) = page("plain", "a\nb\nc\n", "a\nb\nc\nd\n", &[]);
    assert!(!page.contains("zone") && !page.contains("copies"));
}

#[test]
fn warnings_name_what_is_wrong() {
    let even = zones(&[("a", 4), ("b", 4), ("c", 4)]);
    assert_eq!(warnings_of(&even, 512, 3), [] as [&str; 0]);

    let lone = warnings_of(&zones(&[("a", 9), ("b", 9), ("c", 1)]), 512, 3);
    assert!(lone[0].starts_with("Zone `c` has one node, `c-1`, which holds a copy of every key"));
    assert!(lone[0].contains("6.3 times its fair share"), "{lone:?}");

    let few = warnings_of(&zones(&[("a", 4), ("b", 4)]), 512, 3);
    assert!(
        few[0].starts_with("With 2 zones for 3 copies of each key"),
        "{few:?}"
    );
    let few = warnings_of("a\nb\n", 512, 3);
    assert!(
        few[0].starts_with("With 2 nodes for 3 copies of each key"),
        "{few:?}"
    );

    let only = warnings_of("a\n", 16, 1);
    assert!(only[0].starts_with("There is only one node"), "{only:?}");

    let uneven = warnings_of("a\nb\nc\nd\ne\nf\ng\nh\n", 2, 1);
    assert!(
        uneven
            .iter()
            .any(|warning| warning.contains("More virtual nodes")),
        "{uneven:?}"
    );
    let small = warnings_of(&zones(&[("a", 9), ("b", 9), ("c", 3)]), 512, 3);
    assert!(
        small[0].starts_with("Zone `c` would hold copies of 42.9\u{a0}% of the keys"),
        "{small:?}"
    );
    assert!(
        !small.iter().any(|warning| warning.starts_with("Node")),
        "{small:?}"
    );
}
