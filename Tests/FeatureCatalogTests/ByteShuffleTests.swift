import FeatureCatalog
import Testing

@Suite struct ByteShuffleTests {
    @Test(arguments: [1, 2, 3, 4, 8]) func equalsANaiveLoop(width: Int) {
        var generator = SplitMix(state: UInt64(width))
        for count in [0, 1, 2, 3, 5, 17, 256, 1001] {
            let bytes = (0..<count * width).map { _ in UInt8(generator.next(below: 256)) }
            var expected: [UInt8] = []
            for place in 0..<width {
                for value in 0..<count { expected.append(bytes[value * width + place]) }
            }
            #expect(ByteShuffle.shuffled(bytes, width: width) == expected)
            #expect(ByteShuffle.unshuffled(expected, width: width) == bytes)
        }
    }

    @Test func anExample() {
        #expect(ByteShuffle.shuffled([1, 2, 3, 4, 5, 6], width: 2) == [1, 3, 5, 2, 4, 6])
        #expect(ByteShuffle.unshuffled([1, 3, 5, 2, 4, 6], width: 2) == [1, 2, 3, 4, 5, 6])
    }
}
