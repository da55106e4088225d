import TerminalOutput
import Testing

struct ChartTests {
    @Test func sparklinesSpanTheirRange() {
        #expect(Sparkline.draw([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█")
        #expect(Sparkline.draw([1, .nan, 2, .infinity]) == "▁ █ ")
        #expect(Sparkline.draw([3, 3]) == "▁▁")
        #expect(Sparkline.draw([]) == "")
        #expect(Sparkline.draw([.nan]) == " ")
        #expect(Sparkline.draw([-.greatestFiniteMagnitude, .greatestFiniteMagnitude]) == "▁█")
    }

    @Test func barsAreDrawnInEighths() {
        let chart = BarChart(
            bars: [
                .init(label: "layer 3", value: 8), .init(label: "漢\u{1B}", value: 3.5, note: "x"),
                .init(label: "tiny", value: 0.001), .init(label: "none", value: 0), .init(label: "bad", value: .nan),
            ],
            width: 4)
        #expect(
            chart.draw() == """
                layer 3 ████ 8
                漢␛     █▊   x
                tiny    ▏    0.001
                none         0
                bad          nan

                """)
        #expect(BarChart(bars: []).draw() == "")
        #expect(BarChart(bars: [.init(label: "a", value: 1)], width: 4, maximum: 2).draw() == "a ██   1\n")
    }

    @Test func histogramsStandOnTheirAxis() {
        let chart = HistogramChart(counts: [0, 8, 16, 4, 1, 0, 0, 0], lower: 0, upper: 2.5, height: 2)
        #expect(chart.draw() == "16   █     \n 0  ██▄▁   \n   0    2.5\n")
        #expect(HistogramChart(counts: [], lower: 0, upper: 1).draw() == "")
        #expect(HistogramChart(counts: [0, 0], lower: 0, upper: 1).draw() == "")
    }

    @Test func curvesFallFromLeftToRight() {
        let chart = LineChart(points: (0..<4).map { .init(x: Double($0), y: Double(3 - $0)) }, width: 2, height: 2)
        #expect(chart.draw() == "3 ┤⢱ \n0 ┤ ⢣\n  └──\n   0 3\n")
        let loss = (0..<3).map { LineChart.Point(x: Double($0), y: [100, 10, 1][$0]) }
        #expect(
            LineChart(points: loss, width: 3, height: 2, isLogarithmic: true).draw()
                == "100 ┤⠑⡄ \n  1 ┤ ⠈⢆\n    └───\n     0 2\n")
    }

    @Test func pointsThatCannotBeDrawnAreLeftOut() {
        #expect(LineChart(points: []).draw() == "")
        #expect(LineChart(points: [.init(x: 0, y: .nan)]).draw() == "")
        #expect(LineChart(points: [.init(x: 0, y: -1)], isLogarithmic: true).draw() == "")
        let huge = LineChart(points: [
            .init(x: -.greatestFiniteMagnitude, y: .greatestFiniteMagnitude),
            .init(x: .greatestFiniteMagnitude, y: -.greatestFiniteMagnitude), .init(x: 0, y: 1),
        ])
        #expect(huge.draw().split(separator: "\n").count == 14)
        let flat = LineChart(points: [.init(x: 0, y: 5), .init(x: 1, y: 5)], width: 3, height: 3).draw()
        #expect(flat == "5 ┤   \n  │⠤⠤⠤\n5 ┤   \n  └───\n   0 1\n")
    }
}
