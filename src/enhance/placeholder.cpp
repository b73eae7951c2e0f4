// Replaced by the first source file of the room.
