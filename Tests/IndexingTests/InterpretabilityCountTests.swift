import Indexing
import Testing

struct InterpretabilityCountTests {
    private typealias Peaks = TokenClassPeaks

    @Test func fiveKeptActivationsAreNeeded() {
        let four = [Peaks(tokenClass: 1, strongest: 20, second: 16), Peaks(tokenClass: 2, strongest: 17, second: 16)]
        let count = InterpretabilityCount(four + [Peaks(tokenClass: 3, strongest: 15, second: 1)], threshold: 15)
        #expect(count.classCount == 2)
        #expect(count.contextCount == 4)
        #expect(!count.isInterpretable && !count.isFrequent)
        let five = InterpretabilityCount(four + [Peaks(tokenClass: 3, strongest: 15.1, second: 15)], threshold: 15)
        #expect(five.contextCount == 5)
        #expect(five.isInterpretable && five.isFrequent)
    }

    @Test func thirtyTwoClassesAreTheMost() {
        let classes = (0..<33).map { Peaks(tokenClass: Int32($0), strongest: 16 + Float($0)) }
        #expect(InterpretabilityCount(classes.prefix(32), threshold: 15).isInterpretable)
        let broad = InterpretabilityCount(classes, threshold: 15)
        #expect(!broad.isInterpretable && broad.isFrequent)
        #expect(InterpretabilityCount(classes, threshold: 16).isInterpretable)
        #expect(!InterpretabilityCount([Peaks](), threshold: 0).isFrequent)
    }
}
