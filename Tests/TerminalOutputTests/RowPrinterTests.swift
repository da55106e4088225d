import Foundation
import TerminalOutput
import Testing

struct RowPrinterTests {
    private let columns = ["name", "n", "rate"]
    private let rows: [[Cell]] = [
        ["plain", 1, 0.123456789], ["a,b|c", 1234, .real(.nan)], [.null, -5, 2.5e-9], ["", .null, 1e5],
    ]
    private let wide = TerminalStyle(isTerminal: true, width: 80)

    private func render(
        _ format: OutputFormat,
        _ rows: [[Cell]],
        columns: [String] = ["name", "n", "rate"],
        style: TerminalStyle = .plain
    ) -> String {
        RowPrinter.render(columns: columns, rows: rows, format: format, style: style)
    }

    @Test func tablesAreAligned() {
        #expect(
            render(.table, rows) == """
                name      n     rate
                ─────  ────  ───────
                plain     1   0.1235
                a,b|c  1234      nan
                         -5  2.5e-09
                              100000

                """)
    }

    @Test func jsonIsAnArrayOfObjectsInColumnOrder() throws {
        #expect(
            render(.json, rows) == """
                [
                  {"name":"plain","n":1,"rate":0.123456789},
                  {"name":"a,b|c","n":1234,"rate":null},
                  {"name":null,"n":-5,"rate":2.5e-09},
                  {"name":"","n":null,"rate":100000.0}
                ]

                """)
        let parsed = try JSONSerialization.jsonObject(with: Data(render(.json, rows).utf8))
        #expect((parsed as? [[String: Any]])?.count == 4)
    }

    @Test func jsonlIsAnObjectALine() {
        #expect(
            render(.jsonl, Array(rows.prefix(2))) == """
                {"name":"plain","n":1,"rate":0.123456789}
                {"name":"a,b|c","n":1234,"rate":null}

                """)
    }

    @Test func csvFollowsTheStandard() {
        #expect(
            render(.csv, rows + [["say \"hi\"\r\nthere", .blob(byteCount: 3), 1]])
                == "name,n,rate\r\nplain,1,0.123456789\r\n\"a,b|c\",1234,nan\r\n,-5,2.5e-09\r\n\"\",,100000.0\r\n"
                + "\"say \"\"hi\"\"\r\nthere\",<3 bytes>,1\r\n")
    }

    @Test func tsvEscapesItsSeparators() {
        #expect(
            render(.tsv, [["a\tb\nc\r\\", .null, 0.5]]) == "name\tn\trate\na\\tb\\nc\\r\\\\\t\t0.5\n")
    }

    @Test func markdownEscapesItsPipes() {
        #expect(
            render(.markdown, [["a|b\\<i>&\n", 1, .null]]) == """
                | name | n | rate |
                | --- | --- | --- |
                | a\\|b\\\\&lt;i>&amp;⏎ | 1 |  |

                """)
    }

    @Test func emptyResultsKeepTheirForm() {
        #expect(render(.table, []) == "name  n  rate\n────  ─  ────\n")
        #expect(render(.json, []) == "[]\n")
        #expect(render(.jsonl, []) == "")
        #expect(render(.csv, []) == "name,n,rate\r\n")
        #expect(render(.tsv, []) == "name\tn\trate\n")
        #expect(render(.markdown, []) == "| name | n | rate |\n| --- | --- | --- |\n")
        #expect(render(.table, [], columns: []) == "")
    }

    @Test func integersAreExactAndRealsAreInFull() {
        let numbers: [[Cell]] = [[.integer(.max), .real(0.1 + 0.2), .real(1e300)]]
        #expect(
            render(.jsonl, numbers)
                == "{\"name\":9223372036854775807,\"n\":0.30000000000000004,\"rate\":1e+300}\n")
        let csv = render(.csv, [[.integer(.min), .real(-.infinity), 0.0]])
        #expect(csv.hasSuffix("-9223372036854775808,-inf,0.0\r\n"))
    }

    @Test func repeatedColumnsAreNumbered() {
        #expect(
            render(.jsonl, [[1, 2, 3, 4]], columns: ["a", "a", "a_2", "a"])
                == "{\"a\":1,\"a_3\":2,\"a_2\":3,\"a_4\":4}\n")
    }

    @Test func wideCharactersAreMeasured() {
        #expect(
            render(.table, [["漢字", 1], ["e\u{301}", 22], ["👍🏽x", 3]], columns: ["t", "n"]) == """
                t      n
                ────  ──
                漢字   1
                e\u{301}     22
                👍🏽x    3

                """)
    }

    @Test func longTextIsCutOnATerminalOnly() {
        let long = String(repeating: "x", count: 200)
        #expect(render(.table, [[.text(long), 1, 1]]).contains(long))
        let narrow = TerminalStyle(isTerminal: true, width: 30)
        let cut = render(.table, [[.text(long), 123, 1]], style: narrow)
        #expect(cut.split(separator: "\n").allSatisfy { DisplayWidth.of(String($0)) <= 30 })
        #expect(cut.contains(String(repeating: "x", count: 18) + "…  123     1\n"))
        #expect(render(.csv, [[.text(long), 1, 1]], style: narrow).contains(long))
        // Nothing is left to take: the line is longer than the terminal.
        let tiny = TerminalStyle(isTerminal: true, width: 3)
        #expect(render(.table, [[.text(long), 1, 1]], style: tiny).contains("xxxxxxx…  1"))
    }

    private static let hostile = "a\u{1B}[2J\u{7}\u{9B}31m\u{7F}\u{202E}b\r\nc\td\u{2028}\0"

    @Test("No control character reaches a terminal", arguments: OutputFormat.allCases)
    func nothingHostileReachesATerminal(format: OutputFormat) {
        let text = render(format, [[.text(Self.hostile), 1, 1]], columns: ["\u{1B}]0;x\u{7}", "n", "r"], style: wide)
        for scalar in text.unicodeScalars where !"\r\n\t".unicodeScalars.contains(scalar) {
            #expect(scalar.properties.generalCategory != .control, "\(format) lets \(scalar.value) through")
            #expect(scalar.value != 0x202E)
        }
        if format != .csv { #expect(!text.contains("\r")) }
    }

    @Test func hostileTextIsShown() {
        let text = render(.table, [[.text(Self.hostile)]], columns: ["t"])
        #expect(text.hasSuffix("a␛[2J␇<U+009B>31m␡<U+202E>b␍⏎c→d<U+2028>␀\n"))
    }

    @Test func jsonEscapesReadBackAsTheyWere() throws {
        let text = render(.json, [[.text(Self.hostile + "\u{E0041}\"\\漢")]], columns: ["t"])
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.properties.generalCategory != .control })
        let parsed = try JSONDecoder().decode([[String: String]].self, from: Data(text.utf8))
        #expect(parsed == [["t": Self.hostile + "\u{E0041}\"\\漢"]])
    }

    @Test("Piped data is unchanged") func pipedDataIsLeftAsItIs() {
        #expect(render(.csv, [[.text("\u{1B}[0m")]], columns: ["t"]) == "t\r\n\u{1B}[0m\r\n")
        #expect(render(.tsv, [[.text("\u{1B}[0m")]], columns: ["t"]) == "t\n\u{1B}[0m\n")
    }

    @Test("Rows are written as they arrive") func rowsAreWrittenAsTheyCome() {
        var written: [String] = []
        withoutActuallyEscaping({ written.append($0) }) { write in
            var printer = RowPrinter(columns: ["a"], format: .jsonl, style: .plain, write: write)
            printer.append([1])
            printer.append([2])
            printer.finish()
            printer.finish()
        }
        #expect(written == ["{\"a\":1}\n", "{\"a\":2}\n"])
    }

    @Test func headersAreBoldInColour() {
        let colour = TerminalStyle(isTerminal: true, hasColour: true, width: 80)
        #expect(
            render(.table, [["x"]], columns: ["t"], style: colour)
                == "\u{1B}[1mt\u{1B}[0m\n\u{1B}[2m─\u{1B}[0m\nx\n")
    }
}
