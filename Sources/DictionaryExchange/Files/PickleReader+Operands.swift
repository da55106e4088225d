/// What follows an opcode in the pickle, and what it takes from the stack.
extension PickleReader {
    /// The next byte.
    mutating func byte() throws(WeightFileError) -> UInt8 {
        guard position < bytes.count else { throw refusal("ends without its last opcode; the file is cut short") }
        position += 1
        return bytes[position - 1]
    }

    /// The next number of a fixed size, low byte first.
    mutating func field<Field: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ type: Field.Type
    ) throws(WeightFileError) -> Field {
        let size = MemoryLayout<Field>.size
        let start = try skip(size)
        return bytes.field(type, at: start)
    }

    /// The next number of eight bytes, as a count of bytes that follow.
    mutating func length() throws(WeightFileError) -> Int {
        let length = try field(UInt64.self)
        guard length <= UInt64(bytes.count - position) else {
            throw refusal("claims \(length) bytes, it has \(bytes.count - position) left")
        }
        return Int(length)
    }

    /// Passes bytes, and returns where they begin.
    private mutating func skip(_ count: Int) throws(WeightFileError) -> Int {
        guard count <= bytes.count - position else {
            throw refusal("claims \(count) bytes, it has \(bytes.count - position) left")
        }
        position += count
        return position - count
    }

    /// Checks that a frame lies within the pickle; otherwise frames mean nothing here.
    mutating func skipFrame() throws(WeightFileError) { _ = try length() }

    /// An integer of any of the opcodes for them.
    mutating func number(_ operation: PickleOperation) throws(WeightFileError) -> PickledValue {
        switch operation {
        case .byteInteger: return .integer(Int(try byte()))
        case .shortInteger: return .integer(Int(try field(UInt16.self)))
        case .integer: return .integer(Int(Int32(bitPattern: try field(UInt32.self))))
        default: break
        }
        let size = operation == .longInteger ? Int(try byte()) : Int(try field(UInt32.self))
        let start = try skip(size)
        let digits = bytes[start..<start + size]
        let isNegative = digits.last.map { $0 >= 0x80 } ?? false
        guard size <= 8 || (size == 9 && digits.last == 0) else {
            throw refusal("has an integer of \(size) bytes, at most 8 are read")
        }
        var value: UInt64 = isNegative ? .max : 0
        for digit in digits.prefix(8).reversed() { value = value << 8 | UInt64(digit) }
        return size == 9 && value > UInt64(Int.max) ? .unsigned(value) : .integer(Int(Int64(bitPattern: value)))
    }

    /// Pushes a text of so many bytes.
    mutating func pushText(_ count: Int) throws(WeightFileError) {
        guard count <= PickleLimits.textBytes else {
            throw refusal("has a text of \(count) bytes, at most \(PickleLimits.textBytes) are read")
        }
        let start = try skip(count)
        guard let text = String(validating: bytes[start..<start + count], as: UTF8.self) else {
            throw refusal("has a text that is not UTF-8")
        }
        stack.append(.text(objects.texts.count))
        objects.texts.append(text)
    }

    /// A name that ends with its line.
    mutating func line() throws(WeightFileError) -> String {
        let start = position
        while try byte() != UInt8(ascii: "\n") {
            guard position - start <= PickleLimits.nameBytes else {
                throw refusal("names something in more than \(PickleLimits.nameBytes) bytes")
            }
        }
        return String(decoding: bytes[start..<position - 1], as: UTF8.self)
    }

    /// Takes values from the stack that lie above the last mark, the deepest first.
    mutating func pop(_ count: Int) throws(WeightFileError) -> [PickledValue] {
        guard stack.count - (marks.last ?? 0) >= count else { throw refusal("takes more values than it has") }
        defer { stack.removeLast(count) }
        return Array(stack.suffix(count))
    }

    /// Takes all values above the last mark, and the mark.
    mutating func popToMark() throws(WeightFileError) -> [PickledValue] {
        guard let mark = marks.popLast() else { throw refusal("ends a list that it has not begun") }
        defer { stack.removeLast(stack.count - mark) }
        return Array(stack[mark...])
    }

    /// Checks that another object may be made.
    func checkRoom() throws(WeightFileError) {
        let count = objects.sequences.count + objects.dictionaries.count + objects.storages.count
        guard count < PickleLimits.objects else { throw refusal("has more than \(PickleLimits.objects) objects") }
    }

    /// Pushes a new tuple or list.
    mutating func pushSequence(_ items: [PickledValue]) throws(WeightFileError) {
        try checkRoom()
        stack.append(.sequence(objects.sequences.count))
        objects.sequences.append(items)
    }

    /// Pushes a new dict.
    mutating func pushDictionary() throws(WeightFileError) {
        try checkRoom()
        stack.append(.dictionary(objects.dictionaries.count))
        objects.dictionaries.append([])
    }
}
