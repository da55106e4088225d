import TerminalOutput
import Testing

@Suite struct BriefTextTests {
    @Test("Short text is unchanged") func whatIsShortStaysAsItIs() {
        for text in ["", "model.safetensors: no such file; say where it is", "c.sqlite: ä «ö» 日本語"] {
            #expect(BriefText.of(text) == text)
        }
    }

    @Test(
        "Values from a file are quoted shortened",
        arguments: [
            String(repeating: "x", count: 100_000), String(repeating: "x y ", count: 50_000),
            String(repeating: "\u{301}", count: 100_000), String(repeating: "'", count: 100_000),
            String(repeating: "\u{1B}[2J", count: 50_000), String(repeating: "\n", count: 100_000),
            String(repeating: "\u{202E}", count: 100_000), String(repeating: "(?:a|b)*+", count: 20_000),
        ])
    func whatAFileHoldsIsQuotedShort(hostile: String) {
        let message = BriefText.of(
            "t/tokenizer.json: \"type\" is \"\(hostile)\", which is not supported; supported: BPE")
        // Where it is and what to do stay.
        #expect(message.hasPrefix("t/tokenizer.json: \"type\" is "))
        #expect(message.hasSuffix("supported: BPE"))
        #expect(message.utf8.count < 20_000 && message.unicodeScalars.count < 16_000, "\(message.utf8.count)")
        #expect(!message.contains("\n") && !message.contains("\u{1B}"))
    }

    @Test("The characters left out are counted") func whatWasLeftOutIsCounted() {
        #expect(BriefText.of(String(repeating: "a", count: 300)).contains("…(60 more)…"))
    }

    @Test func oneLongCellDoesNotMakeEveryLineLong() {
        let long = String(repeating: "x", count: 200_000)
        let text = RowPrinter.render(
            columns: ["a", "b"], rows: [[.text(long), 1]] + (0..<100).map { ["a", .integer($0)] }, format: .table)
        #expect(text.contains(long))
        #expect(text.utf8.count < 200_000 + 103 * 3100)
    }

    @Test("Only tables hold their rows back") func onlyATableIsHeld() {
        for format in OutputFormat.allCases {
            var printer = RowPrinter(columns: ["a"], format: format, style: .plain) { _ in }
            printer.append([.text(String(repeating: "x", count: 1000))])
            #expect(printer.heldByteCount >= 1000 || format != .table)
            #expect(printer.heldByteCount == 0 || format == .table)
            printer.finish()
            #expect(printer.heldByteCount == 0)
        }
    }
}
