/// The members of a JSON object in the order of its text.
///
/// Names are compared by their bytes: two that are canonically equivalent, and so equal as strings, are different.
package struct JSONObject: Sendable {
    /// A name and its value.
    package struct Member: Equatable, Sendable {
        /// The name.
        package var name: String
        /// The value.
        package var value: JSONValue

        /// Makes a member.
        package init(name: String, value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// The members; the parser makes no name twice.
    package var members: [Member]

    /// Makes an object of members.
    package init(_ members: [Member] = []) { self.members = members }

    /// Makes an object of a dictionary's entries, in the order of their names.
    package init(_ dictionary: [String: JSONValue]) {
        members = dictionary.map { Member(name: $0.key, value: $0.value) }.sorted { $0.precedes($1) }
    }

    /// The value of a name, in time linear in the number of members. Setting it replaces the value, appends a member,
    /// or removes it for nil.
    package subscript(name: String) -> JSONValue? {
        get { members.first { $0.name == name }?.value }
        set {
            let index = members.firstIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(name: name, value: value))
            case (nil, nil): break
            }
        }
    }

    /// The members in the order of their names' UTF-8. Not String's own order, which follows Unicode's tables and with
    /// them the version of the library.
    var sortedMembers: [Member] { members.sorted { $0.precedes($1) } }
}

extension JSONObject.Member {
    fileprivate func precedes(_ other: JSONObject.Member) -> Bool {
        name.utf8.lexicographicallyPrecedes(other.name.utf8)
    }
}

extension JSONObject: Equatable {
    /// Whether the same names have equal values, in any order.
    package static func == (one: JSONObject, other: JSONObject) -> Bool {
        one.members.count == other.members.count
            && zip(one.sortedMembers, other.sortedMembers).allSatisfy {
                $0.name.utf8.elementsEqual($1.name.utf8) && $0.value == $1.value
            }
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// Takes the members of a literal, in its order.
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(elements.map { Member(name: $0.0, value: $0.1) })
    }
}
