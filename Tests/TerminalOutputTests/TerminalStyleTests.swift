import TerminalOutput
import Testing

struct TerminalStyleTests {
    private func colour(_ environment: [String: String], isTerminal: Bool = true) -> Bool {
        TerminalStyle.resolve(isTerminal: isTerminal, reportedWidth: 80, environment: environment).hasColour
    }

    @Test("Colour is used on terminals that allow it") func coloursAreForTerminalsThatWantThem() {
        #expect(colour(["TERM": "xterm"]))
        #expect(colour(["TERM": "xterm", "NO_COLOR": ""]))
        #expect(!colour(["TERM": "xterm", "NO_COLOR": "1"]))
        #expect(!colour(["TERM": "dumb"]))
        #expect(!colour([:]))
        let dumb = TerminalStyle.resolve(isTerminal: true, reportedWidth: 80, environment: ["TERM": "dumb"])
        #expect(dumb.isTerminal && !dumb.rewritesLines)
        #expect(!colour(["TERM": "xterm"], isTerminal: false))
    }

    @Test("The reported width takes precedence") func theReportedWidthComesFirst() {
        func width(_ reported: Int?, _ columns: String?, isTerminal: Bool = true) -> Int? {
            TerminalStyle.resolve(
                isTerminal: isTerminal, reportedWidth: reported, environment: columns.map { ["COLUMNS": $0] } ?? [:]
            ).width
        }
        #expect(width(100, "50") == 100)
        #expect(width(nil, "50") == 50)
        #expect(width(nil, "x") == nil)
        #expect(width(nil, "-3") == nil)
        #expect(width(nil, nil) == nil)
        #expect(width(100, nil, isTerminal: false) == nil)
    }

    @Test func paintIsLeftOffWithoutColour() {
        #expect(TerminalStyle.plain.paint("x", .bold) == "x")
        let style = TerminalStyle(isTerminal: true, hasColour: true)
        #expect(style.paint("x", .red) == "\u{1B}[31mx\u{1B}[0m")
        #expect(style.paint("", .red) == "")
    }

    @Test("Firing tokens are between guillemets") func firingTokensStandBetweenGuillemets() {
        let line = TerminalStyle.plain.highlight(
            tokens: ["In", " the", " «beginning»", "\n", " "], activations: [0, 2, 0, 1, 0.1])
        #expect(line == "In «the» ‹beginning›«⏎» ".replacing("⏎» ", with: "⏎»« »"))
        let floored = TerminalStyle.plain.highlight(tokens: ["a", "b"], activations: [1, 10], floor: 0.1)
        #expect(floored == "a«b»")
        #expect(TerminalStyle.plain.highlight(tokens: ["a"], activations: [.nan]) == "a")
        #expect(TerminalStyle.plain.highlight(tokens: [], activations: []) == "")
    }

    @Test func coloursDeepenWithTheActivation() {
        let style = TerminalStyle(isTerminal: true, hasColour: true)
        let line = style.highlight(
            tokens: ["a", "\u{1B}b", "c", "d"], activations: [0, 1, 10, 20], maximum: 10)
        #expect(
            line == "a\u{1B}[30;48;5;230m␛b\u{1B}[0m\u{1B}[30;48;5;202mc\u{1B}[0m\u{1B}[30;48;5;202md\u{1B}[0m")
    }
}
