package app;

import jakarta.jws.WebMethod;
import jakarta.jws.WebParam;
import jakarta.jws.WebService;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;

/** As one writes a service who has never seen a WSDL: JAX-WS makes one, with elements that are not qualified. */
@WebService(targetNamespace = "http://greeting/")
public class Greeter {
    /** A bean. */
    public static class Guest {
        public String name;
        public Integer age;
        public BigDecimal tip;
        public List<String> nicknames = new ArrayList<>();
    }

    /** A checked exception, whose bean JAX-WS makes of its getters. */
    public static class Uninvited extends Exception {
        private final String guest;

        public Uninvited(String message, String guest) {
            super(message);
            this.guest = guest;
        }

        public String getGuest() {
            return guest;
        }
    }

    @WebMethod
    public List<Guest> greet(@WebParam(name = "guest") Guest guest, @WebParam(name = "times") int times)
            throws Uninvited {
        if (guest.name.equals("Mallory")) {
            throw new Uninvited("not " + guest.name, guest.name);
        }
        List<Guest> greeted = new ArrayList<>();
        for (int i = 0; i < times; i++) {
            greeted.add(guest);
        }
        return greeted;
    }
}
