/// Sorts the bytes of numbers by their place in a number: first the lowest byte of all values, then the next of all.
/// Signs, exponents and high bytes of small numbers then lie side by side, where zstd finds their repetitions.
package enum ByteShuffle {
    /// - Precondition: `bytes` is a whole number of values of `width` bytes.
    package static func shuffled(_ bytes: [UInt8], width: Int) -> [UInt8] {
        precondition(bytes.count.isMultiple(of: width), "values are whole")
        guard width > 1, !bytes.isEmpty else { return bytes }
        let count = bytes.count / width
        return [UInt8](unsafeUninitializedCapacity: bytes.count) { target, initializedCount in
            bytes.withUnsafeBufferPointer { source in
                for place in 0..<width {
                    var from = place
                    for value in place * count..<(place + 1) * count {
                        target[value] = source[from]
                        from += width
                    }
                }
            }
            initializedCount = bytes.count
        }
    }

    /// - Precondition: `bytes` is a whole number of values of `width` bytes.
    package static func unshuffled(_ bytes: [UInt8], width: Int) -> [UInt8] {
        precondition(bytes.count.isMultiple(of: width), "values are whole")
        guard width > 1, !bytes.isEmpty else { return bytes }
        let count = bytes.count / width
        return [UInt8](unsafeUninitializedCapacity: bytes.count) { target, initializedCount in
            bytes.withUnsafeBufferPointer { source in
                for place in 0..<width {
                    var to = place
                    for value in place * count..<(place + 1) * count {
                        target[to] = source[value]
                        to += width
                    }
                }
            }
            initializedCount = bytes.count
        }
    }
}
