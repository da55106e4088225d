import FeatureScoring
import RandomNumbers

/// The position of a firing, by the text around it and by its document; identifies repeated texts.
package struct FiringPlace: Hashable, Sendable {
    /// Hash of the tokens of the window around the token (``textKey(_:)``).
    package let window: UInt64
    /// Hash of the tokens of the passage around the window.
    package let passage: UInt64
    /// The document's key, computed from its content.
    package let documentKey: UInt64
    /// The document's number in the corpus.
    package let document: Int64
    /// The token's position in the document.
    package let position: Int32

    /// Describes a place.
    @inlinable
    package init(window: UInt64, passage: UInt64, documentKey: UInt64, document: Int64, position: Int32) {
        self.window = window
        self.passage = passage
        self.documentKey = documentKey
        self.document = document
        self.position = position
    }

    /// A strict order, by content first: which of several positions represents all does not depend on the order of the
    /// text, except for documents that are equal throughout.
    @inlinable
    package func precedes(_ other: FiringPlace) -> Bool {
        if passage != other.passage { return passage < other.passage }
        if window != other.window { return window < other.window }
        if documentKey != other.documentKey { return documentKey < other.documentKey }
        return (position, document) < (other.position, other.document)
    }

    /// A hash of tokens; different tokens collide with probability 2⁻⁶⁴.
    @inlinable
    package static func textKey(_ tokens: some Sequence<Int32>) -> UInt64 {
        var key: UInt64 = 0
        for token in tokens {
            key = SplitMix64.mixed((key ^ UInt64(UInt32(bitPattern: token))) &+ 0x9E37_79B9_7F4A_7C15)
        }
        return key
    }

    /// Groups positions by the text they show, numbered from 0 by first use: positions whose windows, or passages,
    /// have the same tokens are in one group, and so are those connected through others.
    ///
    /// - Complexity: O(n) for n places, nearly.
    package static func textGroups(_ places: [FiringPlace]) -> [Int] {
        var parents = Array(places.indices)
        func root(_ index: Int) -> Int {
            var index = index
            while parents[index] != index {
                parents[index] = parents[parents[index]]
                index = parents[index]
            }
            return index
        }
        for key in [\FiringPlace.window, \.passage] {
            var first: [UInt64: Int] = [:]
            for (index, place) in places.enumerated() {
                guard let known = first[place[keyPath: key]] else {
                    first[place[keyPath: key]] = index
                    continue
                }
                parents[root(index)] = root(known)
            }
        }

        var numbers: [Int: Int] = [:]
        return places.indices.map { index in
            let root = root(index)
            let number = numbers[root] ?? numbers.count
            numbers[root] = number
            return number
        }
    }
}
