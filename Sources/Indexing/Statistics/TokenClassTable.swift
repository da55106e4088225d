/// The 33 token classes of one feature with the highest peaks, each with its two strongest activations, updated as
/// firings stream by.
///
/// This is enough to evaluate the paper's count exactly at *any* threshold t, with and without its 32-class rule:
///
/// - A class that was rejected or evicted met a full table whose 33 peaks were all at or above its own. The lowest
///   peak in the table never falls, so at the end there still are 33 classes at or above everything that was lost.
/// - If nothing that was lost is above t, the table holds all that is above t, and counting it is exact.
/// - If something that was lost is above t, then 33 classes in the table are: the feature has more than 32 classes, and
///   at least 33 activations are kept, which are more than 5. Both answers are certain whatever was lost.
///
/// The same holds for the second activation of a class that was lost and came back. The number of firings of a class,
/// however, is a lower bound once `isComplete` is false.
///
/// A value of fixed size without heap storage: an array of tables is one block of memory, about 0.5 KiB a feature.
package struct TokenClassTable: Sendable {
    /// The number of classes held.
    package static let capacity = 33

    // Separate arrays, so that the search for a class reads as little as possible.
    @usableFromInline var classes = InlineArray<33, Int32>(repeating: 0)
    @usableFromInline var strongest = InlineArray<33, Float>(repeating: 0)
    /// −∞ where a class fired once.
    @usableFromInline var second = InlineArray<33, Float>(repeating: -.infinity)
    @usableFromInline var firings = InlineArray<33, UInt32>(repeating: 0)
    /// A bit for every class held, by its hash: an unset bit proves absence without a search.
    @usableFromInline var presence: UInt64 = 0
    /// The lowest peak of a full table; −∞ before.
    @usableFromInline var lowestPeak: Float = -.infinity
    @usableFromInline var lowestSlot: Int16 = 0
    /// The number of classes held, at most 33.
    @usableFromInline var held: Int16 = 0
    @usableFromInline var hasLost = false

    /// Makes an empty table.
    package init() {}

    /// The number of classes held.
    package var count: Int { Int(held) }

    /// Whether the table holds every class and every count of the stream: nothing was rejected.
    package var isComplete: Bool { !hasLost }

    /// Adds one firing. A NaN is ignored.
    ///
    /// - Complexity: O(33); O(1) for most firings that are too weak to enter.
    @inlinable
    package mutating func record(tokenClass: Int32, activation: Float) {
        if activation <= lowestPeak, presence & Self.bit(of: tokenClass) == 0 {
            hasLost = true
            return
        }
        recordSearching(tokenClass: tokenClass, activation: activation)
    }

    @usableFromInline
    static func bit(of tokenClass: Int32) -> UInt64 {
        1 << (UInt64(UInt32(bitPattern: tokenClass) &* 0x9E37_79B1) >> 26)
    }

    @usableFromInline
    mutating func recordSearching(tokenClass: Int32, activation: Float) {
        guard !activation.isNaN else { return }
        for slot in 0..<Int(held) where classes[slot] == tokenClass {
            if firings[slot] < .max { firings[slot] += 1 }
            if activation > strongest[slot] {
                second[slot] = strongest[slot]
                strongest[slot] = activation
                if slot == Int(lowestSlot) { findLowest() }
            } else if activation > second[slot] {
                second[slot] = activation
            }
            return
        }
        if held < Self.capacity {
            put(tokenClass, activation, at: Int(held))
            presence |= Self.bit(of: tokenClass)
            held += 1
            findLowest()
        } else if activation > lowestPeak {
            put(tokenClass, activation, at: Int(lowestSlot))
            hasLost = true
            presence = 0
            for slot in 0..<Self.capacity { presence |= Self.bit(of: classes[slot]) }
            findLowest()
        } else {
            hasLost = true
        }
    }

    private mutating func put(_ tokenClass: Int32, _ activation: Float, at slot: Int) {
        classes[slot] = tokenClass
        strongest[slot] = activation
        second[slot] = -.infinity
        firings[slot] = 1
    }

    /// Finds the class to evict next: the lowest peak, and of equal ones the highest class id.
    private mutating func findLowest() {
        guard held == Self.capacity else { return }
        var lowest = 0
        for slot in 1..<Self.capacity
        where strongest[slot] < strongest[lowest]
            || (strongest[slot] == strongest[lowest] && classes[slot] > classes[lowest])
        {
            lowest = slot
        }
        lowestSlot = Int16(lowest)
        lowestPeak = strongest[lowest]
    }
}
