import TerminalOutput
import Testing

struct QuantitiesTests {
    @Test(arguments: [
        (0, "0"), (999, "999"), (1234, "1234"), (12_345, "12\u{202F}345"), (1_234_567, "1\u{202F}234\u{202F}567"),
        (-12_345, "-12\u{202F}345"), (.min, "-9\u{202F}223\u{202F}372\u{202F}036\u{202F}854\u{202F}775\u{202F}808"),
    ])
    func countsAreGrouped(value: Int, text: String) { #expect(Quantities.count(value) == text) }

    @Test(
        "Figures have four significant digits",
        arguments: [
            (0, "0"), (-0.0, "0"), (0.5, "0.5"), (0.123456, "0.1235"), (12.345678, "12.35"), (999.94, "999.9"),
            (999.96, "1000"), (1234.56, "1235"), (123_456.7, "123457"), (1e6, "1e+06"), (0.0001, "0.0001"),
            (0.00001234, "1.234e-05"), (-2.5, "-2.5"), (.nan, "nan"), (.infinity, "inf"), (-.infinity, "-inf"),
        ])
    func fourDigitsMatter(value: Double, text: String) { #expect(Quantities.significant(value) == text) }

    @Test(arguments: [
        (0, "0 ms"), (0.35, "350 ms"), (0.9996, "1.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.4, "59 s"),
        (59.6, "1 min"), (80, "1 min 20 s"), (3599.7, "1 h"), (7500, "2 h 5 min"), (90_000, "1 d 1 h"),
        (.infinity, "?"), (.nan, "?"), (-1, "?"), (1e300, "?"),
    ])
    func durationsHaveTwoUnits(seconds: Double, text: String) {
        #expect(Quantities.duration(seconds: seconds) == text)
    }

    @Test(arguments: [
        (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1500, "1.5 kB"), (24_000_000, "24 MB"), (999_600, "1.0 MB"),
        (-1500, "-1.5 kB"), (.max, "9.2 EB"),
    ])
    func sizesAreDecimal(value: Int, text: String) { #expect(Quantities.bytes(value) == text) }

    @Test func sharesAndRates() {
        #expect(Quantities.percentage(0.4523) == "45.2 %")
        #expect(Quantities.percentage(.nan) == "?")
        #expect(Quantities.rate(0.35) == "0.35/s")
        #expect(Quantities.rate(12_345.6) == "12\u{202F}346/s")
        #expect(Quantities.rate(.infinity) == "?/s")
    }
}
