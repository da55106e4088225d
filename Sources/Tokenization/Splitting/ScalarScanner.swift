/// Reads the classes of the scalars of valid UTF-8.
struct ScalarScanner {
    let bytes: UnsafePointer<UInt8>
    /// The end of the visible text; a lookahead stops here.
    let end: Int
    private let basicPlane = ScalarClass.basicPlane

    init(bytes: UnsafePointer<UInt8>, end: Int) {
        self.bytes = bytes
        self.end = end
    }

    /// The class of the scalar at a position before the end, and the position behind it.
    @inline(__always)
    func scalar(at position: Int) -> (class: ScalarClass, next: Int) {
        let first = Int(bytes[position])
        if first < 0x80 { return (basicPlane[first], position + 1) }
        if first < 0xE0 {
            return (basicPlane[(first & 0x1F) << 6 | continuation(position + 1)], position + 2)
        }
        if first < 0xF0 {
            let value = (first & 0x0F) << 12 | continuation(position + 1) << 6 | continuation(position + 2)
            return (basicPlane[value], position + 3)
        }

        let high = (first & 0x07) << 18 | continuation(position + 1) << 12
        let value = high | continuation(position + 2) << 6 | continuation(position + 3)
        return (Unicode.Scalar(UInt32(value)).map(ScalarClass.init(of:)) ?? [], position + 4)
    }

    private func continuation(_ position: Int) -> Int { Int(bytes[position] & 0x3F) }

    /// The end of the run of scalars from `start` on that have one of the classes.
    @inline(__always)
    func endOfRun(of classes: ScalarClass, from start: Int) -> Int {
        var position = start
        while position < end {
            let (scalarClass, next) = scalar(at: position)
            guard !scalarClass.isDisjoint(with: classes) else { break }
            position = next
        }
        return position
    }

    /// The end of the run of scalars from `start` on that have none of the classes.
    @inline(__always)
    func endOfRun(ofNone classes: ScalarClass, from start: Int) -> Int {
        var position = start
        while position < end {
            let (scalarClass, next) = scalar(at: position)
            guard scalarClass.isDisjoint(with: classes) else { break }
            position = next
        }
        return position
    }

    /// The end of the run of bytes from `start` on that are among the given ASCII characters.
    @inline(__always)
    func endOfRun(ofBytes first: UInt8, _ second: UInt8, _ third: UInt8, from start: Int) -> Int {
        var position = start
        while position < end, case let byte = bytes[position], byte == first || byte == second || byte == third {
            position += 1
        }
        return position
    }

    /// Whether a byte is at a position, which may be the end.
    func isByte(_ byte: UInt8, at position: Int) -> Bool { position < end && bytes[position] == byte }
}
