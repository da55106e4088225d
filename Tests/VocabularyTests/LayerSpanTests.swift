import Testing
import Vocabulary

@Suite struct LayerSpanTests {
    @Test(
        "Only neighbours are drawn together",
        arguments: [
            ([], ""), ([4], "4"), ([1, 2, 3, 4, 5], "1-5"), ([3, 5, 7], "3,5,7"), ([0, 1, 2, 6], "0-2,6"),
            ([7, 5, 6], "5-7"),
            ([2, 2, 3], "2-3"), ([0, .max], "0,\(Int.max)"), ([.max - 1, .max], "\(Int.max - 1)-\(Int.max)"),
        ] as [([Int], String)])
    func onlyNeighboursAreDrawnTogether(layers: [Int], text: String) {
        #expect(LayerSpan.text(of: layers) == text)
    }

    @Test func dashAndSeparatorAreGiven() {
        #expect(LayerSpan.text(of: [0, 1, 3], dash: "–", separator: ", ") == "0–1, 3")
    }
}
