//! Law: names that strangers chose print on one line, without a control, an invisible character or
//! a change of direction, and short, wherever the library prints them.

use clockwise::{Failover, HashRing, NodeError, Rendezvous, SlotTable};

/// Names that would forge, hide or reorder text.
fn hostile() -> Vec<String> {
    let mut names: Vec<String> = [
        "cache\u{202e}1-live",
        "\u{2066}cache\u{2069}",
        "line\u{2028}break\u{2029}",
        "zero\u{200b}width\u{feff}\u{2060}",
        "filler\u{3164}\u{115f}\u{ffa0}",
        "`quoted` is not a member",
        "\u{1b}[31mred\u{1b}[0m",
        "new\nline\r",
        "tag\u{e0041}\u{e007f}",
        "soft\u{ad}hyphen\u{34f}",
        "e\u{301}\u{301}\u{301}",
        "back\\slash",
        "\u{0}",
    ]
    .map(String::from)
    .to_vec();
    names.push("\u{202e}".repeat(40_000));
    names.push("x".repeat(120_000));
    names
}

/// Checks what was printed with names in it, apart from what the library writes itself.
fn safe(text: &str, names: usize) {
    for c in text.chars() {
        let own = c == '\n' || c == ' ';
        let plain = c.is_ascii_graphic() || "…×σ".contains(c);
        assert!(own || plain, "{c:?} in {text:?}");
    }
    assert!(text.len() < 1000 + 1500 * names, "{} bytes", text.len());
}

#[test]
fn errors_print_names_safely() {
    for name in hostile() {
        let mut ring = HashRing::builder()
            .virtual_nodes(2)
            .from_nodes([name.clone()])
            .unwrap();
        let duplicate = ring.insert(name.clone()).unwrap_err();
        let heavy = ring.set_weight(&name, u32::MAX).unwrap_err();
        let zero = ring.set_weight(&name, 0).unwrap_err();
        let unknown = Rendezvous::<String>::new().drain(&name).unwrap_err();
        let mut groups = Failover::new(Vec::<SlotTable<String>>::new());
        let homeless = groups.insert(name).unwrap_err();
        for error in [duplicate, heavy, zero, unknown, homeless] {
            let text = error.to_string();
            assert!(!text.contains('\n'), "{text:?}");
            // The message's own backticks enclose the name.
            let (_, after) = text.split_once('`').expect("the name");
            assert!(after.contains('`'));
            safe(&text, 1);
            if let NodeError::Duplicate { node, .. } = &error {
                assert!(!node.contains('`'), "{node}");
            }
        }
    }
}

#[test]
fn tables_and_explanations_print_names_safely() {
    let names = hostile();
    let of = |names: &[String]| {
        let builder = HashRing::builder().virtual_nodes(2);
        builder.from_nodes(names.to_vec()).unwrap()
    };
    let ring = of(&names);
    safe(&ring.balance().to_string(), names.len());
    for row in ring.balance().nodes() {
        safe(&row.node, 1);
    }
    let fewer = of(&names[..4]);
    safe(&fewer.diff(&ring).unwrap().to_string(), 2 * names.len());
    for key in &names {
        safe(&ring.explain(key).to_string(), names.len());
    }
}
