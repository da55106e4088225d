import ActivationPipeline
import FeatureCatalog
import Foundation
import LinearAlgebra
import Tokenization

/// Text for a synthetic catalog: documents of a corpus repeated, or synthetic words with a skewed
/// frequency.
struct SyntheticText {
    /// A document as the catalog takes it.
    struct Document {
        let title: String
        let tokenIDs: [Int32]
    }

    /// The tokens' texts.
    let vocabulary: [TokenRecord]
    /// The class of every token.
    let classes: [String]

    private let bytes: [[UInt8]]
    private let document: (_ ordinal: Int) throws -> Document

    /// Documents of a corpus, from the first again when it ends.
    init(model: String, text: [String]) throws {
        let tokenizer = try Tokenizer(directory: model)
        let corpus = try TextCorpus(paths: text)
        self.init(
            vocabulary: tokenizer.records, bytes: tokenizer.records.map { tokenizer.bytes(of: Int32($0.tokenID)) }
        ) { ordinal in
            let document = try corpus.document(ordinal % corpus.count)
            return Document(
                title: "\(document.title) (\(ordinal))",
                tokenIDs: tokenizer.encode(document.text, addSpecialTokens: false))
        }
    }

    /// Made-up words, the n-th in frequency about 1 / (n + 3) as frequent as the first.
    init(seed: UInt64, wordCount: Int = 4096) {
        let syllables = [
            "ka", "ro", "mi", "tel", "su", "ven", "dor", "ith", "al", "be", "no", "gra", "li", "shu", "pe", "y",
        ]
        let words = (0..<wordCount).map { number in
            // Digits to the base 16 make every word another; the commonest are the shortest.
            let digits = String(number, radix: 16).utf8.map { Int($0) - ($0 > 0x39 ? 0x57 : 0x30) }
            return " " + digits.map { syllables[$0] }.joined()
        }
        self.init(
            vocabulary: words.enumerated().map { TokenRecord(tokenID: $0, text: $1) },
            bytes: words.map { Array($0.utf8) }
        ) { ordinal in
            var generator = CounterGenerator(seed: seed, stream: "document \(ordinal)")
            let length = 64 + generator.index(below: 2048)
            return Document(
                title: "document \(ordinal)",
                tokenIDs: (0..<length).map { _ in
                    // The inverse of a distribution that falls as 1 / (n + 3).
                    let place = 3 * pow(Double(wordCount) / 3 + 1, Double(generator.uniform())) - 3
                    return Int32(min(wordCount - 1, max(0, Int(place))))
                })
        }
    }

    private init(
        vocabulary: [TokenRecord], bytes: [[UInt8]], document: @escaping (_ ordinal: Int) throws -> Document
    ) {
        self.vocabulary = vocabulary
        self.bytes = bytes
        self.document = document
        classes = vocabulary.map { TokenClass.text(of: $0.text) }
    }

    /// The document of any number; documents repeat.
    func document(_ ordinal: Int) throws -> Document { try document(ordinal) }

    /// The text of some tokens.
    func passage(_ tokens: some Sequence<Int32>) -> PassageText {
        PassageText(tokenBytes: tokens.map { bytes[Int($0)] })
    }
}
