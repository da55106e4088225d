import ChatTemplate
import Testing

/// Templates are untrusted: the result is a text or a one-line error.
@Suite struct HostileTemplateTests {
    private static func isExcessive(_ error: ChatTemplateError?) -> Bool {
        if case .excessive? = error { true } else { false }
    }

    private static func deep(_ open: String, _ inner: String, _ close: String, _ levels: Int) -> String {
        String(repeating: open, count: levels) + inner + String(repeating: close, count: levels)
    }

    /// One for each limit.
    @Test(
        "Each limit holds",
        arguments: [
            "{{ " + deep("(", "1", ")", 20_000) + " }}", "{{ " + deep("[", "", "]", 20_000) + " }}",
            "{{ " + deep("{1:", "1", "}", 20_000) + " }}", "{{ " + deep("f(", "", ")", 20_000) + " }}",
            "{{ " + deep("not ", "1", "", 20_000) + " }}", "{{ " + deep("-", "1", "", 20_000) + " }}",
            "{{ " + deep("1 + ", "1", "", 20_000) + " }}", "{{ a" + deep("|list", "", "", 20_000) + " }}",
            "{{ a" + deep(".b", "", "", 20_000) + " }}", "{{ a" + deep("[0]", "", "", 20_000) + " }}",
            "{{ a" + deep("()", "", "", 20_000) + " }}", "{{ " + deep("1 if 1 else ", "1", "", 20_000) + " }}",
            "{{ 1" + deep(" if 1", "", "", 20_000) + " }}", "{{ " + deep("1 or ", "1", "", 20_000) + " }}",
            deep("{% if 1 %}", "x", "{% endif %}", 20_000), deep("{% for x in [1] %}", "x", "{% endfor %}", 20_000),
            deep("{% set x %}", "x", "{% endset %}", 20_000), deep("{% macro f() %}", "x", "{% endmacro %}", 20_000),
            "{% set " + deep("(", "x", ")", 20_000) + " = 1 %}", "{{ " + deep("1 is a(", "1", ")", 20_000) + " }}",
            "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
            "{% macro f() %}{{ caller is defined }}{% call f() %}{% endcall %}{% endmacro %}{{ f() }}",
            "{% set f = namespace() %}{% macro g() %}{{ f.g() }}{% endmacro %}{% set f.g = g %}{{ g() }}",
            "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
            "{% for a in range(100001) %}{% endfor %}", "{{ range(9223372036854775807) }}",
            "{{ range(-9223372036854775807, 9223372036854775807) }}", "{{ range(0, 9, -9223372036854775807 - 1) }}",
            "{{ 'x' * 99999999999 }}", "{{ 99999999999 * 'x' }}", "{{ [1] * 99999999999 }}",
            "{{ (1, 2) * 9223372036854775807 }}",
            "{% set n = namespace(x='x') %}{% for i in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}",
            "{% set n = namespace(x='x') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
            "{% set n = namespace(x='xx') %}{% for i in range(99) %}{% set n.x = n.x|replace('x', n.x) %}{% endfor %}",
            "{% set n = namespace(x='xx') %}{% for i in range(99) %}{% set n.x = n.x.replace('', n.x) %}{% endfor %}",
            "{% set n = namespace(x='xx') %}{% for i in range(99) %}{% set n.x = n.x|join(n.x) %}{% endfor %}",
            "{% set n = namespace(x=[1]) %}{% for i in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}",
            "{% set n = namespace(x=[]) %}{% for i in range(99) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
            "{% set n = namespace(x=[]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
            "{% set n = namespace(x=[]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x|tojson }}",
            "{% set n = namespace(x=[]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x == n.x[:] }}",
            "{% set n = namespace(x={}) %}{% for i in range(99) %}{% set n.x = {'a': n.x} %}{% endfor %}",
            "{% set n = namespace(x=[]) %}{% for i in range(9999) %}{% set n.x = n.x|map('list') %}{% endfor %}{% for i in range(9999) %}{% set n.x = [n.x]|reverse %}{% endfor %}",
            "{% set n = namespace() %}{% for i in range(9999) %}{% for j in [n.l] %}{% set n.l = loop %}{% endfor %}{% endfor %}",
            "{% set n = namespace(x='') %}{% for i in range(9999) %}{% set n.x = [n.x].index %}{% endfor %}",
            "{% for i in range(99999) %}{% set n = namespace() %}{% endfor %}",
            "{% for i in range(99999) %}{% macro m() %}{% endmacro %}{% endfor %}",
            "{% set x = 'x' * 1000000 %}{% for i in range(99) %}{{ x }}{% endfor %}",
            "{% set x = 'ab' * 400000 %}{% for i in range(99999) %}{% if x == x[:] %}{% endif %}{% endfor %}",
            "{% set x = 'a' * 900000 %}{% for i in range(99999) %}{% if 'b' in x %}{% endif %}{% endfor %}",
            "{% set x = 'a' * 900000 %}{% for i in range(99999) %}{% set y = {x: 1} %}{% endfor %}",
            "{{ [1]|tojson(indent=99999999) }}", "{{ 'x'|indent(99999999) }}", "{{ ('x\\n' * 9999)|indent(9999) }}",
            "{{ [[[[1] * 999] * 99] * 99]|tojson(indent=99999) }}", "{% set x = 'a' * 1000001 %}{{ x ~ x }}",
            String(repeating: "x", count: 1 << 21),
        ]) func limitsHold(_ source: String) throws
    {
        let complaint = try ChatGoldens.complaint(source)
        #expect(Self.isExcessive(complaint), "\(source.prefix(150)): \(String(describing: complaint))")
    }

    /// Python's numbers beyond 64 bits, and other unsupported features: named, with their line.
    @Test(
        "Unsupported features are named with their line",
        arguments: [
            ("{{ 9223372036854775807 + 1 }}", "64 bits"), ("{{ -9223372036854775807 - 2 }}", "64 bits"),
            ("{{ 9223372036854775807 * 2 }}", "64 bits"), ("{{ 99999999999999999999 }}", "64 bits"),
            ("{{ -(-9223372036854775807 - 1) }}", "64 bits"), ("{{ (-9223372036854775807 - 1) // -1 }}", "64 bits"),
            ("{{ (-9223372036854775807 - 1)|abs }}", "64 bits"), ("{{ 2 ** 64 }}", "64 bits"),
            ("{{ 1e300|int }}", "64 bits"),
            ("{{ '99999999999999999999'|int }}", "64 bits"), ("{{ [9223372036854775807, 1]|sum }}", "64 bits"),
            ("{{ (-8) ** 0.5 }}", "complex"), ("{{ '%s' % 1 }}", "'%'"), ("{{ 'x'.format(1) }}", "'format'"),
            ("{{ 'x'|groupby('y') }}", "'groupby'"), ("{{ 1 is nonsense }}", "'nonsense'"),
            ("{{ cycler(1) }}", "'cycler'"),
            ("{{ 1.23|round(1) }}", "rounding"), ("{{ namespace() }}", "namespace"),
            ("{{ [1]|map('string') }}", "generator"),
            ("{% for x in [1] recursive %}{% endfor %}", "recursive"), ("{% include 'x' %}", "'include'"),
            ("{% import 'x' as y %}", "'import'"), ("{% block x %}{% endblock %}", "'block'"),
            ("{% extends 'x' %}", "'extends'"),
            ("{{ {(1, 2): 3} }}", "tuple"), ("{{ ä }}", "ä"), ("{{ '\\N{DASH}' }}", "name"),
            ("{{ '\\ud800' }}", "ud800"),
            ("{{ strftime_now('%Q') }}", "'%Q'"), ("{% for x in [1] %}{{ loop([]) }}{% endfor %}", "recursive"),
        ]) func whatIsNotHereIsNamed(_ source: String, _ name: String) throws
    {
        let complaint = try ChatGoldens.complaint("\n\n" + source)
        guard case .unsupported(line: 3, _)? = complaint else {
            Issue.record("\(source): \(String(describing: complaint))")
            return
        }

        let description = try #require(complaint).description
        #expect(description.contains(name) && description.hasSuffix("is not supported"), "\(description)")
        #expect(!description.contains("\n"))
    }

    /// Only code that is reached is refused: many templates have unused branches for tools.
    @Test("Unsupported features in branches not taken are ignored") func whatIsNotReachedIsNotRefused() throws {
        #expect(try ChatGoldens.render("{% if tools %}{{ tools|groupby('x') }}{% endif %}a") == "a")
        #expect(try ChatGoldens.render("{{ 1 if true else lipsum() }}") == "1")
    }

    @Test("Errors raised by the template are reported") func refusalsOfTheTemplate() throws {
        let complaint = try ChatGoldens.complaint("a\n{{ raise_exception('No system\\nmessage') }}")
        #expect(complaint == .raised(line: 2, message: "No system\nmessage"))
        #expect(complaint?.description == "line 2: the template refuses: No system message")
    }

    @Test func numbersAtTheEdge() throws {
        #expect(try ChatGoldens.render("{{ (-9223372036854775807 - 1) % -1 }}") == "0")
        #expect(
            try ChatGoldens.render("{{ 'abc'[-9223372036854775807 - 1:9223372036854775807:9223372036854775807] }}")
                == "a")
        #expect(try ChatGoldens.render("{{ 'abc'[::-9223372036854775807 - 1] }}") == "c")
        #expect(try ChatGoldens.render("{{ 'abc'[9223372036854775807] }}|{{ 'abc'[-9223372036854775807 - 1] }}") == "|")
        #expect(
            try ChatGoldens.render("{{ range(9223372036854775806, 9223372036854775807)|list }}")
                == "[9223372036854775806]")
        #expect(
            try ChatGoldens.render("{{ 1e308 * 10 }} {{ -1e308 * 10 }} {{ 1e308 * 10 - 1e308 * 10 }}") == "inf -inf nan"
        )
        #expect(try ChatGoldens.render("{{ [1e308 * 10 - 1e308 * 10, 1, 2]|sort|length }}") == "3")
    }

    /// Cycles of namespaces, macros and scopes are released at the end, however long.
    @Test("Reference cycles are released") func circlesAreNoTrouble() throws {
        let chain =
            "{% set n = namespace() %}{% for i in range(5000) %}{% set n.p = namespace(p=n.p, s=n) %}{% endfor %}"
        #expect(try ChatGoldens.render(chain + "x") == "x")
        let macros = """
            {% set n = namespace() %}{% macro a(p) %}{% macro b() %}{{ p }}{% endmacro %}{% set n.f = b %}{% endmacro %}\
            {% for i in range(5000) %}{{ a(n.f) }}{% endfor %}x
            """
        #expect(try ChatGoldens.render(macros) == "x")
    }

    /// Templates with randomly changed bytes: a text or an error, nothing else.
    @Test(arguments: [
        "llama3-like", "inst-like", "chatml-like", "turns-like", "parts-like", "zephyr-like", "macros-like",
    ]) func mutations(_ name: String) throws {
        let source = Array(try ChatGoldens.template(name + ".jinja").utf8)
        let document = try ChatGoldens.document("renders.json")
        let conversations = try #require(document["conversations"] as? [String: Any])
        var variables: [String: Value] = ["bos_token": .text("<s>"), "add_generation_prompt": .boolean(true)]
        variables["tools"] = .list(Items([try Value(golden: try #require(document["tool"]))]))
        variables["messages"] = try Value(golden: try #require(conversations["calls"]))
        let pieces = [
            "{%", "%}", "{{", "}}", "-", "(", ")", "[", "]", "|", "~", "'", "\"", "not ", "loop.", "ns.", "[::-1]", "*",
            "999999999", "#}", "is ", "\\", "é", " if ", "for", "end",
        ]
        var random = SplitMix(state: UInt64(source.count))
        var refused = 0
        for _ in 0..<300 {
            var bytes = source
            for _ in 0...Int(random.next() % 4) {
                let place = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 4 {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.removeSubrange(place..<min(bytes.count, place + Int(random.next() % 12)))
                case 2: bytes.insert(contentsOf: pieces[Int(random.next() % UInt64(pieces.count))].utf8, at: place)
                default:
                    let end = min(bytes.count, place + Int(random.next() % 60))
                    bytes.insert(contentsOf: bytes[place..<end], at: Int(random.next() % UInt64(bytes.count)))
                }
            }

            let complaint = try ChatGoldens.complaint(String(decoding: bytes, as: UTF8.self), variables)
            if let complaint {
                refused += 1
                #expect(!complaint.description.contains("\n"))
            }
        }
        #expect(refused > 100)
    }

    private struct SplitMix: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }
}
